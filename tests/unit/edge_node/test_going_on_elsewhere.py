"""Sessions that go on at another node of the fleet: their words, their notes, their ledgers."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from edge_node.ledger.segments import Segments, read_segment
from edge_node.recovery.tokens import known_by
from shared.exchange import MoveTo
from tests.support.fleet import (
    FINISH,
    WORLD,
    FakeCentre,
    FleetNode,
    fleet_node,
    heard,
    memory_centre,
    opened,
    until,
)
from tests.support.talk import spoken, words

pytestmark = pytest.mark.anyio
PAUSE = " " * 30
AUDIO = spoken("hello" + PAUSE + "there you are" + PAUSE + "good")
SAID = ["hello", "there you are", "good"]
LIMIT_S = 10.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def two_nodes(folder: Path) -> AsyncIterator[tuple[FakeCentre, FleetNode, FleetNode]]:
    async with (
        memory_centre(k=("eu-only",), other=("eu-only",)) as centre,
        fleet_node(centre, folder / "a", node_id="n-1") as here,
        fleet_node(centre, folder / "b", node_id="n-2") as there,
    ):
        yield centre, here, there


async def said_until(call: Any, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(LIMIT_S):
        while not found or found[-1]["type"] != kind:
            found.append(json.loads(await call.recv()))
    return found


async def ticket(centre: FakeCentre, node: FleetNode, session: str, resumes: int) -> str:
    ask, answer = await centre.reserve(node, session=session, tenant="tenant-k", resumes=resumes)
    assert answer.granted
    return centre.ticket(node, ask, resumes=resumes, decision=f"d-{resumes}-{node.name}")


def resume_of(started: dict[str, Any], finals: list[dict[str, Any]]) -> dict[str, Any]:
    last = finals[-1] if finals else {"seq": 0, "through_sample": 0}
    return {
        "token": started["recovery"]["token"],
        "seq": last["seq"],
        "through_sample": last["through_sample"],
    }


def finals_of(messages: list[Any]) -> list[dict[str, Any]]:
    return [one for one in messages if one["type"] == "final"]


async def cut_off(node: FleetNode) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A session that was cut in its second utterance, the first one acknowledged."""
    async with node.call(key="k") as call:
        started = await opened(call, recovers=True)
        await call.send(AUDIO[: len(AUDIO) * 2 // 3])
        finals = finals_of(await said_until(call, "final"))
        await call.send(json.dumps({"type": "ack", "seq": 1}))
        await said_until(call, "progress")
        call.transport.abort()
    await until(lambda: node.node.recoveries.parking)
    return started, finals


async def the_rest(call: Any, started: dict[str, Any]) -> list[Any]:
    await call.send(AUDIO[2 * started["from_sample"] :])
    await call.send(FINISH)
    return await heard(call)


def records(folder: Path, session: str) -> list[dict[str, Any]]:
    found = [read_segment(one)[1] for one in Segments(folder / "state" / "ledger", 0).segments()]
    lines = [json.loads(line) for some in found for line in some]
    return [one for one in lines if one.get("session") == session]


def counted(folder: Path, session: str) -> list[tuple[int, int]]:
    rows = [one for one in records(folder, session) if one["what"] == "counted"]
    return [(one["from"], one["to"]) for one in rows if one["unit"] == "samples"]


async def test_a_session_goes_on_at_another_node_and_counts_once(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (centre, here, there):
        started, before = await cut_off(here)
        session, token = started["session"], started["recovery"]["token"]
        began = await centre.note("started")
        assert (began.recovery_number, began.recovery_sha256) == (1, known_by(token))
        assert began.recovery_s == 120.0
        assert (await centre.note("paused")).recovery_number == 1
        shown = await ticket(centre, there, session, 1)
        async with there.call(ticket=shown) as call:
            again = await opened(call, recovers=True, resume=resume_of(started, before))
            assert (again["session"], again["recovery"]["number"]) == (session, 2)
            assert again["from_sample"] == before[-1]["through_sample"]
            assert centre.notes.empty(), "nobody knows yet whether the caller is there"
            after = await the_rest(call, again)
        assert words([*before, *after]) == SAID
        assert [one["seq"] for one in [*before, *finals_of(after)]] == [1, 2, 3]
        assert after[-1]["audio_ms"] == len(AUDIO) // 32
        resumed = await centre.note("resumed")
        at = resumed.from_sample
        assert (resumed.node, resumed.recovery_number) == ("n-2", 2)
        assert at == again["from_sample"]
        done = await centre.command(here, "give_up", session=session, through_sample=at, number=2)
        assert done.ok
        assert here.node.admission.taken == there.node.admission.taken == 0
        ended = await centre.note("ended")
        assert (ended.node, ended.reason) == ("n-2", "finish")
        assert centre.notes.empty(), "it ended once"
        await until(lambda: len(records(tmp_path / "a", session)) >= 4)
        await until(lambda: len(records(tmp_path / "b", session)) >= 4)
    assert counted(tmp_path / "a", session) == [(0, at)]
    assert counted(tmp_path / "b", session) == [(at, len(AUDIO) // 2)]
    last = records(tmp_path / "a", session)[-1]
    assert (last["what"], last["reason"], last["total"]) == ("closed", "moved", None)
    first = records(tmp_path / "b", session)[0]
    assert (first["what"], first["from_sample"]) == ("opened", at)


async def test_a_session_moves_there_and_back_and_says_every_word_once(tmp_path: Path) -> None:
    """The second time it comes to a node that still keeps what it had before."""
    async with two_nodes(tmp_path) as (centre, here, there):
        async with here.call(key="k") as call:
            started = await opened(call, recovers=True, redirect=True, moves=True)
            session, finals, sent, number = started["session"], list[Any](), 0, 1
            for node in (there, here, there):
                shown = await ticket(centre, node, session, number)
                to = MoveTo(node.stream_url, shown, node.name, node.region, "d", "moved", 10.0)
                source = here if node is there else there
                sent += len(AUDIO) // 4
                await call.send(AUDIO[2 * started["from_sample"] : sent])
                await said_until(call, "speech_started")
                assert (await centre.command(source, "move", session=session, move=to)).ok
                assert not (await centre.command(source, "move", session=session, move=to)).ok
                said = await heard(call)
                finals += finals_of(said)
                assert said[-1]["type"] == "redirect"
                assert call.close_code == 4307
                resume = {**resume_of(started, finals), "through_sample": said[-1]["from_sample"]}
                call = await node.call(ticket=said[-1]["ticket"])  # noqa: PLW2901
                started = await opened(
                    call, recovers=True, redirect=True, moves=True, resume=resume
                )
                assert started["from_sample"] == said[-1]["from_sample"]
                number = started["recovery"]["number"]
            finals += finals_of(await the_rest(call, started))
            await call.close()
        assert words(finals) == SAID
        assert [one["seq"] for one in finals] == [1, 2, 3]
        assert len(here.node.recoveries.stays) == 1, "what it had the second time"
        await centre.command(
            here, "give_up", session=session, through_sample=started["from_sample"], number=9
        )
        assert here.node.admission.taken == there.node.admission.taken == 0


async def test_what_is_wrong_with_a_ticket_or_a_token_is_refused(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (centre, here, there):
        started, before = await cut_off(here)
        resume, session = resume_of(started, before), started["session"]
        async with here.call(key="other") as call:
            assert (await opened(call, resume=resume))["code"] == "resume_refused"
        async with there.call(key="k") as call:
            assert (await opened(call, resume=resume))["code"] == "resume_refused"
        async with there.call(ticket=await ticket(centre, there, "another", 0)) as call:
            assert (await opened(call, resume=resume))["code"] == "resume_refused"
        async with there.call(ticket=await ticket(centre, there, session, 1)) as call:
            assert (await opened(call, recovers=True))["code"] == "ticket_refused"
        async with here.call(ticket=await ticket(centre, here, "another", 1)) as call:
            assert (await opened(call, resume=resume))["code"] == "resume_refused"
        assert session in here.node.recoveries.parking
        assert here.node.admission.taken == 1
        async with here.call(ticket=await ticket(centre, here, session, 1)) as call:
            again = await opened(call, recovers=True, resume=resume)
            assert here.node.admission.taken == 1, "the seat that it had, or the ticket's"
            assert words([*before, *(await the_rest(call, again))]) == SAID
        assert here.node.admission.taken == here.node.admission.reserved == 0


async def test_who_never_shows_that_he_is_there_leaves_no_end_there(tmp_path: Path) -> None:
    """Two nodes that both say that it ended would be a lie of one of them."""
    async with two_nodes(tmp_path) as (centre, here, there):
        started, before = await cut_off(here)
        session, resume = started["session"], resume_of(started, before)
        async with there.call(ticket=await ticket(centre, there, session, 1)) as call:
            await opened(call, recovers=True, resume=resume)
        await until(lambda: there.node.admission.taken == 0)
        await until(lambda: len(records(tmp_path / "b", session)) == 2)
        async with here.call(key="k") as call:
            again = await opened(call, recovers=True, resume=resume)
            assert words([*before, *(await the_rest(call, again))]) == SAID
        events = [await centre.note(event) for event in ("started", "paused", "resumed", "ended")]
        assert {note.node for note in events} == {"n-1"}
    assert records(tmp_path / "b", session)[-1]["total"] is None
    assert counted(tmp_path / "b", session) == []


async def test_a_session_that_only_ends_at_another_node_ends_there(tmp_path: Path) -> None:
    """Its caller had said everything, and lacked the end."""
    async with two_nodes(tmp_path) as (centre, here, there):
        started, before = await cut_off(here)
        session = started["session"]
        async with there.call(ticket=await ticket(centre, there, session, 1)) as call:
            again = await opened(call, recovers=True, resume=resume_of(started, before))
            await call.send(FINISH)
            [ended] = await heard(call)
        at = again["from_sample"]
        assert (ended["type"], ended["finals"], ended["audio_ms"]) == ("ended", 1, at // 16)
        await until(lambda: len(records(tmp_path / "b", session)) == 2)
        del here
    assert records(tmp_path / "b", session)[-1]["total"] == at


async def test_a_ledger_that_fails_is_no_end_of_what_another_node_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with memory_centre(k=("strict",)) as centre:
        centre.world = WORLD + "  strict: {allow: [everywhere], ledger: required}\n"
        async with fleet_node(centre, tmp_path) as node:
            ask, _ = await centre.reserve(node, tenant="tenant-k", policy="strict", resumes=1)
            shown = centre.ticket(node, ask, policy="strict", resumes=1)
            with monkeypatch.context() as patched:
                patched.setattr(os, "fdatasync", _full)
                async with node.call(ticket=shown) as call:
                    refused = await opened(call, resume={"token": "t", "through_sample": 0})
            assert refused["code"] == "ledger_unavailable"
            await until(lambda: records(tmp_path, ask.session))
            await until(lambda: records(tmp_path, ask.session)[-1]["what"] == "closed")
    last = records(tmp_path, ask.session)[-1]
    assert (last["reason"], last["total"]) == ("refused", None)


def _full(_: int) -> None:
    raise OSError(28, "No space left on device")


async def test_a_node_lets_go_only_of_what_is_older(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (centre, here, _):
        started, before = await cut_off(here)
        session = started["session"]
        async with here.call(key="k") as call:
            again = await opened(call, recovers=True, resume=resume_of(started, before))
            await call.send(json.dumps({"type": "keepalive"}))
            await until(lambda: here.node.recoveries.counts["resumed"])
            late = await centre.command(here, "give_up", session=session, number=1)
            assert (late.ok, late.message) == (False, "it came back meanwhile")
            assert (await centre.command(here, "give_up", session="none", number=1)).ok
            assert (await centre.command(here, "give_up", session=session, number=3)).ok
            messages = await heard(call)
        assert messages[-1]["code"] == "superseded"
        assert again["session"] == session
        assert here.node.admission.taken == 0


async def test_who_does_not_come_back_is_over_once_and_his_pause_is_metered(tmp_path: Path) -> None:
    async with memory_centre(k=("eu-only",)) as centre:
        recovery = {"s": 1.0, "park_after_s": 0.2}
        async with fleet_node(centre, tmp_path, recovery=recovery) as here:
            assert here.node.member is not None
            here.node.member.heard_for = lambda _: False  # type: ignore[method-assign]
            started, _ = await cut_off(here)
            await until(lambda: here.node.admission.taken == 0)
            here.node.member.heard_for = lambda _: True  # type: ignore[method-assign]
            ended = await centre.note("ended")
            assert (ended.reason, ended.session) == ("not_resumed", started["session"])
            assert ended.paused_ms >= 1000
            await until(lambda: records(tmp_path, started["session"])[-1]["what"] == "closed")
        assert centre.notes.empty()
    last = records(tmp_path, started["session"])[-1]
    assert (last["reason"], last["acked_seq"]) == ("not_resumed", 1)
    assert last["total"] == last["samples"] > last["acked_sample"]


async def test_a_caller_who_is_passed_on_ends_with_his_connection(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (centre, _, there):
        ask, _ = await centre.reserve(there)
        async with there.call(ticket=centre.ticket(there, ask, relay=True)) as call:
            assert (await opened(call, recovers=True))["recovery"] is None
        await until(lambda: there.node.admission.taken == 0)
