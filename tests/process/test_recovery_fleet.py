"""Sessions of real nodes that die, or are stopped: they go on at others, to the last word."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from edge_node.ledger.segments import Segments, read_segment
from tests.support.fleet import FINISH, FakeCentre, heard, opened, until
from tests.support.fleet_process import NodeProcess, node_process, running_fleet
from tests.support.talk import spoken, words

pytestmark = [pytest.mark.process, pytest.mark.anyio]
PAUSE = " " * 30
AUDIO = spoken("hello" + PAUSE + "there you are" + PAUSE + "good" + PAUSE + "bye")
SAID = ["hello", "there you are", "good", "bye"]
START = {"recovers": True, "redirect": True, "moves": True}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Caller:
    """What a client keeps: its last token, its last final, where all words have come."""

    def __init__(self) -> None:
        self.finals: list[dict[str, Any]] = []
        self.started: dict[str, Any] = {}
        self.through_sample = 0

    async def goes_on(self, call: Any) -> None:
        resume = None
        if self.started:
            token = self.started["recovery"]["token"]
            seq = self.finals[-1]["seq"] if self.finals else 0
            resume = {"token": token, "seq": seq, "through_sample": self.through_sample}
        self.started = await opened(call, **START, resume=resume)
        assert self.started["type"] == "started", self.started
        await call.send(json.dumps({"type": "keepalive"}))

    async def speaks_until(self, call: Any, end: int, kind: str) -> None:
        await call.send(AUDIO[2 * self.started["from_sample"] : end])
        await self.hears(call, kind)

    async def hears(self, call: Any, kind: str) -> str:
        """Until a message of a kind, or the end of the connection."""
        while True:
            try:
                message = json.loads(await asyncio.wait_for(call.recv(), 10))
            except ConnectionClosed:
                return "closed"
            if message["type"] == "final" and message["seq"] > len(self.finals):
                self.finals.append(message)
                self.through_sample = message["through_sample"]
            if message["type"] == kind:
                return kind


async def ticket(centre: FakeCentre, node: NodeProcess, caller: Caller) -> str:
    session, number = caller.started["session"], caller.started["recovery"]["number"]
    ask, answer = await centre.reserve(node, session=session, tenant="tenant-k", resumes=number)
    assert answer.granted
    return centre.ticket(node, ask, resumes=number, decision=f"d-{number}")


def ends(folder: Path, session: str) -> list[tuple[str, int | None]]:
    """Why a session ended in a node's ledger, and its total."""
    found = [read_segment(one)[1] for one in Segments(folder / "state" / "ledger", 0).segments()]
    rows = [json.loads(line) for lines in found for line in lines]
    closed = [row for row in rows if row.get("session") == session and row["what"] == "closed"]
    return [(row["reason"], row["total"]) for row in closed]


async def test_a_killed_node_and_one_that_is_stopped_cost_no_word(tmp_path: Path) -> None:
    caller = Caller()
    async with running_fleet(tmp_path, "n-1", "n-2", k=("eu-only",)) as fleet:
        centre = fleet.centre
        async with node_process(fleet, "n-2", drain_s=0.2) as second:
            async with node_process(fleet, "n-1") as first, first.call(key="k") as call:
                await caller.goes_on(call)
                await caller.speaks_until(call, len(AUDIO) // 3, "final")
                dead = first.boot
                await first.stop(signal.SIGKILL)
                assert await caller.hears(call, "nothing") == "closed"
            session = caller.started["session"]
            async with (
                node_process(fleet, "n-1") as first,
                second.call(ticket=await ticket(centre, second, caller)) as call,
            ):
                await caller.goes_on(call)
                assert caller.started["session"] == session
                await caller.speaks_until(call, len(AUDIO) * 2 // 3, "speech_started")
                again = await centre.report(lambda one: one.node == "n-1" and one.boot != dead)
                first.boot = again.boot  # what the dead one had still said came before
                stopping = asyncio.ensure_future(second.stop())  # noqa: TID251 it is waited for
                assert await caller.hears(call, "ended") == "closed", "it is not over"
                assert call.close_code == 1001
                async with first.call(ticket=await ticket(centre, first, caller)) as last:
                    await caller.goes_on(last)
                    at, number = caller.started["from_sample"], caller.started["recovery"]["number"]
                    of = {"session": session, "through_sample": at, "number": number}
                    assert (await centre.command(second, "give_up", **of)).ok
                    assert await stopping == 0
                    await last.send(AUDIO[2 * at :])
                    await last.send(FINISH)
                    await caller.hears(last, "ended")
                    assert await heard(last) == []
                assert words(caller.finals) == SAID
                total = len(AUDIO) // 2
                await until(lambda: len(ends(tmp_path / "n-1", session)) == 2)
                assert ends(tmp_path / "n-1", session) == [("node_died", None), ("finish", total)]
                assert ends(tmp_path / "n-2", session) == [("moved", None)]
                assert first.complaints() == second.complaints() == []
