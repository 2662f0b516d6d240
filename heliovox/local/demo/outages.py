"""A node dies, and then the centre is stopped: callers are served on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from heliovox.client.errors import Refused
from heliovox.client.events import Event
from heliovox.local.calls import Recording, Where, call, in_packets
from heliovox.local.demo.plan import HOME, HURT, MUMBAI, PARIS
from heliovox.local.demo.speaking import Speaking
from heliovox.local.demo.stage import Stage, request
from heliovox.local.scoring import OWN_MOST_WER, Score, score
from heliovox.local.steps import CallReport, Step
from heliovox.protocol.control import Placed

GONE_S = 5.0
"""After so long nobody is placed on a node that died."""
_LOOK_S = 0.2
_PAUSE_MS = 800
_MOST_PASSES = 6
ANYWHERE = Where(MUMBAI.where.place, "anywhere")


async def kill_a_node(stage: Stage) -> Step:
    """Kills the node in India as a power cut would, and goes on placing callers from there."""
    loop, node = asyncio.get_running_loop(), stage.world.nodes_by_region[HURT]
    stage.screen.title(f"{node.name} is killed (kill -9)")
    killed_s = loop.time()
    await node.child.kill()
    last_there_ms: float | None = None
    first_elsewhere: tuple[float, Placed] | None = None
    seen_dead_ms: float | None = None
    while (after_s := loop.time() - killed_s) < GONE_S or seen_dead_ms is None:
        placed = await _placed(stage, ANYWHERE)
        after_ms = round((loop.time() - killed_s) * 1000)
        if placed is not None and placed.region == HURT:
            last_there_ms = after_ms
        elif placed is not None and first_elsewhere is None:
            first_elsewhere = after_ms, placed
        if seen_dead_ms is None and await _is_dead(stage, node.name):
            seen_dead_ms = after_ms
        if after_s > 2 * GONE_S:
            break
        await asyncio.sleep(_LOOK_S)
    late = [await _placed(stage, where) for where in (ANYWHERE, MUMBAI.where)]
    return _killed(stage, last_there_ms, first_elsewhere, seen_dead_ms, late)


def _killed(
    stage: Stage,
    last_there_ms: float | None,
    first_elsewhere: tuple[float, Placed] | None,
    seen_dead_ms: float | None,
    late: list[Placed | None],
) -> Step:
    anywhere, at_home = late
    ok = anywhere is not None and anywhere.region != HURT and at_home is None
    ok = ok and first_elsewhere is not None
    ok = ok and (last_there_ms or 0) <= GONE_S * 1000 and seen_dead_ms is not None
    there = "nobody was placed there any more"
    if last_there_ms is not None:
        there = f"the last caller was placed there {last_there_ms / 1000:.1f} s later"
    if first_elsewhere is not None:
        stage.screen.line(
            f"{there}; from Mumbai (anywhere) -> {first_elsewhere[1].region} "
            f"after {first_elsewhere[0] / 1000:.1f} s"
        )
    stage.screen.line(f"counted as dead after {(seen_dead_ms or 0) / 1000:.1f} s; in-only: refused")
    detail = {
        "node": stage.world.nodes_by_region[HURT].name,
        "last_placed_there_ms": last_there_ms,
        "first_placed_elsewhere_ms": first_elsewhere and first_elsewhere[0],
        "elsewhere": first_elsewhere and first_elsewhere[1].region,
        "seen_dead_ms": seen_dead_ms,
        "in_only_refused": at_home is None,
    }
    return Step("kill", ok, detail)


async def _placed(stage: Stage, where: Where) -> Placed | None:
    """Where a caller would go now; the seat is given back at once. None for nowhere."""
    try:
        placed = await stage.caller.place(request(where))
    except Refused:
        return None
    with suppress(Refused):
        await stage.caller.end(placed.session)
    return placed


async def _is_dead(stage: Stage, name: str) -> bool:
    return all(node.state == "dead" for node in await stage.operator.nodes() if node.node == name)


async def stop_the_centre(stage: Stage, speaking: Speaking) -> Step:
    """A caller speaks on while the control plane is stopped, and another one comes without it."""
    stage.screen.title("The control plane is stopped while a caller in Paris speaks")
    recording = replace(speaking.said[PARIS.name].recording, speaker="Paris, live all the while")
    board = stage.screen.board([recording.speaker, "Paris, straight to the node"])
    show_live, show_straight = board(0), board(1)
    live, begun, down = Live(recording), asyncio.Event(), asyncio.Event()

    def shown(event: Event) -> None:
        begun.set()
        show_live(event)

    async def straight() -> CallReport:
        await begun.wait()
        code.append(await stage.world.control.stop())
        down.set()
        return CallReport.of(
            recording, await call(stage.straight(HOME), recording, show_straight, PARIS.where)
        )

    code: list[int | None] = []
    async with asyncio.TaskGroup() as group:
        coming = group.create_task(straight(), name="straight")
        heard = await call(
            stage.client, recording, shown, PARIS.where, packets=lambda: live.packets(down)
        )
    whole = replace(recording, text=" ".join([recording.text] * live.passes))
    before = speaking.heard.get(PARIS.name, "")
    calls = [CallReport.of(whole, heard), coming.result()]
    scores = [
        _best(calls[0], " ".join([before] * live.passes)),
        _best(calls[1], before),
    ]
    return _dark(stage, calls, scores, code[0], live.passes)


class Live:
    """A caller who says the same sentence again and again, until once all of it was in the dark."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self.passes = 0

    async def packets(self, down: asyncio.Event) -> AsyncIterator[bytes]:
        """The sentence, a pause, the sentence, ..."""
        audio = self._recording.audio
        pause = bytes(audio.samples(_PAUSE_MS) * audio.bytes_per_sample)
        dark = False
        while not dark and self.passes < _MOST_PASSES:
            dark = down.is_set()
            self.passes += 1
            async for packet in in_packets(audio, self._recording.data + pause):
                yield packet


def _best(report: CallReport, before: str) -> Score:
    """Against what was said, or what was heard of the very same audio with the centre there."""
    return min((report.score, score(before, report.heard.transcript)), key=lambda one: one.wer)


def _dark(
    stage: Stage, calls: list[CallReport], scores: list[Score], code: int | None, passes: int
) -> Step:
    live, straight = calls
    understood = all(one.wer <= OWN_MOST_WER for one in scores)
    alone = straight.heard.route
    detail: dict[str, Any] = {
        "control_exit_code": code,
        "passes": passes,
        "live": live.detail(),
        "straight": straight.detail(),
        "wer": [round(one.wer, 4) for one in scores],
    }
    ok = understood and code == 0 and alone.region == HOME and alone.decision is None
    words = "understood to the end" if understood else "NOT understood"
    stage.screen.line(f"both {words}; {alone.node} took the second caller by its own decision")
    return Step("dark", ok, detail)
