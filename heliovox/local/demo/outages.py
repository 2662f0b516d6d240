"""A node dies, and then the centre is stopped: callers are served on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
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
LIMIT_S = 30.0
_LOOK_S = 0.2
_PAUSE_MS = 800
_MOST_PASSES = 6
ANYWHERE = Where(MUMBAI.where.place, "anywhere")


@dataclass(slots=True)
class Killed:
    """What was seen after a node was killed; times are milliseconds since."""

    node: str
    last_placed_there_ms: int | None = None
    first_placed_elsewhere_ms: int | None = None
    elsewhere: str | None = None
    seen_dead_ms: int | None = None
    after_5_s: str | None = None
    """Where a caller who may go anywhere is placed then."""
    in_only: str = ""
    """What became of a caller who may not leave: `waiting` as his policy says, or a code."""

    @property
    def ok(self) -> bool:
        """Whether nobody was placed there for longer than GONE_S, and everybody was told."""
        in_time = (self.last_placed_there_ms or 0) <= GONE_S * 1000
        served = self.after_5_s not in {None, HURT} and self.elsewhere is not None
        stays = self.in_only in {"waiting", "no_room"}
        return in_time and served and self.seen_dead_ms is not None and stays

    def note(self, placed: Placed | Refused, after_ms: int) -> None:
        """A caller who may go anywhere was placed."""
        if isinstance(placed, Refused):
            return
        if placed.region == HURT:
            self.last_placed_there_ms = after_ms
        elif self.elsewhere is None:
            self.first_placed_elsewhere_ms, self.elsewhere = after_ms, placed.region


async def kill_a_node(stage: Stage) -> Step:
    """Kills the node in India as a power cut would, and goes on placing callers from there."""
    loop, node = asyncio.get_running_loop(), stage.world.nodes_by_region[HURT]
    stage.screen.title(f"{node.name} is killed (kill -9)")
    seen, killed_s = Killed(node.name), loop.time()
    await node.child.kill()
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        stays = group.create_task(_placed(stage, MUMBAI.where), name="one who may not leave")
        while (after_s := loop.time() - killed_s) < GONE_S or seen.seen_dead_ms is None:
            seen.note(await _placed(stage, ANYWHERE), round(after_s * 1000))
            if seen.seen_dead_ms is None and await _is_dead(stage, node.name):
                seen.seen_dead_ms = round((loop.time() - killed_s) * 1000)
            await asyncio.sleep(_LOOK_S)
        late = await _placed(stage, ANYWHERE)
        seen.after_5_s = None if isinstance(late, Refused) else late.region
        seen.in_only = _state_of(stays)
        stays.cancel()
    _say(stage, seen)
    return Step("kill", seen.ok, asdict(seen))


def _state_of(placing: asyncio.Task[Placed | Refused]) -> str:
    """Of a caller who may not leave: `waiting`, the code that he was refused with, or a region."""
    if not placing.done():
        return "waiting"
    answer = placing.result()
    return answer.code if isinstance(answer, Refused) else answer.region


def _say(stage: Stage, seen: Killed) -> None:
    there = "nobody was placed there any more"
    if seen.last_placed_there_ms is not None:
        there = f"the last caller was placed there {seen.last_placed_there_ms / 1000:.1f} s later"
    first_s = (seen.first_placed_elsewhere_ms or 0) / 1000
    stage.screen.line(
        f"{there}; from Mumbai (anywhere) -> {seen.elsewhere} after {first_s:.1f} s; "
        f"(in-only) -> {seen.in_only}, and nowhere else"
    )
    stage.screen.line(f"counted as dead after {(seen.seen_dead_ms or 0) / 1000:.1f} s")


async def _placed(stage: Stage, where: Where) -> Placed | Refused:
    """Where a caller would go now; the seat is given back at once."""
    try:
        placed = await stage.caller.place(request(where))
    except Refused as error:
        return error
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
