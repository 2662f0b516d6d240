"""A node of a fleet, real but for the bus and the centre: tickets, keys, reservations, reports."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.exceptions import InvalidStatus

from shared.bus.memory import MemoryBus
from shared.clock import wall_s
from shared.content.records import KeptFinal
from shared.content.stream import content_stream
from shared.pseudonyms import ensure_pseudonym_key
from shared.ticket import LEEWAY_S
from tests.contract.buses import Heard
from tests.support.fleet import (
    FakeCentre,
    FleetNode,
    fleet_node,
    heard,
    memory_centre,
    opened,
    spoken_words,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def refused(node: FleetNode, **shown: Any) -> dict[str, Any]:
    """What the handshake is answered with, other than 101."""
    with pytest.raises(InvalidStatus) as error:
        async with node.call(**shown):
            pass
    body = error.value.response.body
    assert body is not None
    found: dict[str, Any] = msgspec.json.decode(bytes(body))
    return found


async def test_a_ticket_is_worth_one_session(tmp_path: Path) -> None:
    async with memory_centre() as centre, fleet_node(centre, tmp_path) as node:
        ask, granted = await centre.reserve(node)
        assert (granted.granted, granted.node, granted.boot) == (True, "n-1", node.boot)
        report = await centre.report(lambda report: report.reserved == 1)
        assert report.url == node.stream_url
        ticket = centre.ticket(node, ask)
        async with node.call(ticket=ticket) as call:
            started = await opened(call)
            assert started["session"] == ask.session
            assert (started["region"], started["decision"]) == ("eu-central", "d-1")
            await centre.report(lambda report: (report.reserved, report.held) == (0, 1))
            async with node.call(ticket=ticket) as again:
                error = await opened(again)
                assert (error["code"], error["field"]) == ("ticket_refused", "ticket")
            assert await spoken_words(call, "hello   ") == ["hello"]
        await centre.report(lambda report: report.held == 0)


async def test_a_ticket_in_start_comes_before_a_key_in_the_handshake(tmp_path: Path) -> None:
    async with memory_centre(k=("*",)) as centre, fleet_node(centre, tmp_path) as node:
        ask, _ = await centre.reserve(node)
        ticket = centre.ticket(node, ask)
        async with node.call(key="k") as call:
            started = await opened(call, ticket=ticket)
            assert (started["session"], started["decision"]) == (ask.session, "d-1")


@pytest.mark.parametrize("where", ["handshake", "start"])
async def test_tickets_that_are_none(tmp_path: Path, where: str) -> None:
    """Forged, expired, of another node, of an earlier boot, of the future, or not a ticket."""
    async with memory_centre() as centre, fleet_node(centre, tmp_path) as node:
        ask, _ = await centre.reserve(node)
        now_s = int(wall_s())
        forger = FakeCentre(centre.bus, {}, key=Ed25519PrivateKey.generate())
        late = int(LEEWAY_S) + 30
        wrong = {
            "forged": forger.ticket(node, ask),
            "expired": centre.ticket(node, ask, iat=now_s - 2 * late, exp=now_s - late),
            "foreign": centre.ticket(node, ask, node="n-2"),
            "earlier boot": centre.ticket(node, ask, boot="0000000000000-00000000"),
            "future": centre.ticket(node, ask, iat=now_s + late, exp=now_s + 2 * late),
            "nonsense": "nonsense",
        }
        for ticket in wrong.values():
            if where == "handshake":
                assert (await refused(node, ticket=ticket))["code"] == "ticket_refused"
                continue
            async with node.call() as call:
                assert (await opened(call, ticket=ticket))["code"] == "ticket_refused"
                await heard(call)
                assert call.close_code == 4401
        async with node.call(ticket=centre.ticket(node, ask)) as call:
            assert (await opened(call))["type"] == "started"


@pytest.mark.parametrize("skew_s", [-30, 30])
async def test_clocks_may_be_30_seconds_apart(tmp_path: Path, skew_s: int) -> None:
    async with memory_centre() as centre, fleet_node(centre, tmp_path) as node:
        ask, _ = await centre.reserve(node)
        now_s = int(wall_s()) + skew_s
        ticket = centre.ticket(node, ask, iat=now_s, exp=now_s + 10)
        async with node.call(ticket=ticket) as call:
            assert (await opened(call))["type"] == "started"


async def test_a_ticket_without_a_live_reservation_is_worth_nothing(tmp_path: Path) -> None:
    async with memory_centre() as centre, fleet_node(centre, tmp_path) as node:
        ask, _ = await centre.reserve(node)
        assert (await centre.command(node, "release", reservation=ask.reservation)).ok
        never = msgspec.structs.replace(ask, reservation="r-never")
        short, granted = await centre.reserve(node, ttl_s=0.0)
        assert granted.granted
        for given in (ask, never, short):
            async with node.call(ticket=centre.ticket(node, given)) as call:
                assert (await opened(call))["code"] == "ticket_refused"
        report = await centre.report(lambda report: report.reserved == 0)
        assert report.held == 0


async def test_a_ticket_decides_what_may_be_started(tmp_path: Path) -> None:
    async with memory_centre() as centre, fleet_node(centre, tmp_path) as node:
        ask, _ = await centre.reserve(node, model="scripted")
        ticket = centre.ticket(node, ask)
        for field, value in (
            ("kind", "synthesis"),
            ("language", "de"),
            ("model", "other"),
            ("policy", "in-only"),
        ):
            async with node.call(ticket=ticket) as call:
                error = await opened(call, **{field: value})
                assert (error["code"], error["field"]) == ("ticket_refused", field)
        async with node.call(ticket=ticket) as call:
            assert (await opened(call))["model"] == "scripted"


async def test_a_burst_of_200_onto_5_seats_gets_exactly_5(tmp_path: Path) -> None:
    async with (
        memory_centre() as centre,
        fleet_node(centre, tmp_path, max_streams=5) as node,
    ):
        answers = await asyncio.gather(*(centre.reserve(node) for _ in range(200)))
        refusals = [answer for _, answer in answers if not answer.granted]
        assert len(refusals) == 195
        assert {(one.code, one.held, one.limit) for one in refusals} == {("node_full", 5, 5)}
        report = await centre.report(lambda report: report.reserved == 5)
        assert report.kinds["recognition"].fits == 0
        assert (report.limit, report.limited_by) == (5, "max_streams")


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"kind": "singing"}, "unsupported"),
        ({"language": "tlh"}, "unsupported"),
        ({"model": "other"}, "unsupported"),
        ({"policy": "in-only"}, "not_allowed"),
        ({"policy": "nonsense"}, "unsupported"),
    ],
)
async def test_the_node_has_the_last_word_on_its_seats(
    tmp_path: Path, wish: dict[str, str], code: str
) -> None:
    async with memory_centre() as centre, fleet_node(centre, tmp_path) as node:
        _, answer = await centre.reserve(node, **wish)
        assert (answer.granted, answer.code) == (False, code)


async def test_commands_are_obeyed_but_not_those_of_an_epoch_that_is_over(tmp_path: Path) -> None:
    async with memory_centre(k=("*",)) as centre, fleet_node(centre, tmp_path) as node:
        assert (await centre.command(node, "drain", epoch=5)).ok
        await centre.report(lambda report: report.draining)
        _, answer = await centre.reserve(node)
        assert answer.code == "node_draining"
        assert not (await centre.command(node, "undrain", epoch=4)).ok
        assert (await centre.command(node, "undrain", epoch=5)).ok
        await centre.report(lambda report: not report.draining)
        async with node.call(key="k") as call:
            started = await opened(call)
            done = await centre.command(node, "end_session", epoch=6, session=started["session"])
            assert done.ok
            last = (await heard(call))[-1]
            assert (last["type"], last["reason"]) == ("ended", "operator")
        assert not (await centre.command(node, "end_session", epoch=6, session="none")).ok


async def test_the_last_report_says_goodbye(tmp_path: Path) -> None:
    async with memory_centre() as centre:
        async with fleet_node(centre, tmp_path):
            first = await centre.report(lambda _: True)
        last = await centre.report(lambda report: report.goodbye)
        assert first.boot == last.boot
        assert first.seq < last.seq
        async with fleet_node(centre, tmp_path):
            later = await centre.report(lambda _: True)
        assert later.boot > first.boot


async def test_sessions_are_noted(tmp_path: Path) -> None:
    async with memory_centre(k=("eu-only",)) as centre, fleet_node(centre, tmp_path) as node:
        async with node.call(key="k") as call:
            started = await opened(call, kind="conversation")
            note = await centre.note("started")
            assert (note.session, note.tenant, note.policy) == (
                started["session"],
                "tenant-k",
                "eu-only",
            )
            assert (note.admitted_by, note.decision) == ("node", None)
            await call.send('{"type":"speak","id":"1","text":"good day"}')
            assert await spoken_words(call, "hello   ") == ["hello"]
        ended = await centre.note("ended")
        assert (ended.session, ended.reason) == (started["session"], "finish")
        assert (ended.audio_ms, ended.characters) == (320, len("good day"))


async def test_a_caller_is_noted_by_a_pseudonym_and_kept_by_his_name(tmp_path: Path) -> None:
    """Where the policy keeps words. His name is in nothing that the centre or a log is told."""
    key_file, caller = tmp_path / "region.key", "+49 30 1234567"
    expected = ensure_pseudonym_key(key_file).pseudonym("tenant-k", caller)
    stores = {"eu-central": MemoryBus(), "eu-west": MemoryBus()}
    for store in stores.values():
        await store.ensure_stream(content_stream(1 << 20))
    content = {"pseudonym_key_file": str(key_file)}
    async with memory_centre(k=("eu-kept", "eu-only")) as centre:
        passed = Heard()
        await centre.bus.subscribe(">", passed)
        async with fleet_node(centre, tmp_path, stores=stores, content=content) as node:
            sessions = []
            for policy in ("eu-kept", "eu-only"):
                async with node.call(key="k") as call:
                    started = await opened(call, policy=policy, caller=caller)
                    sessions.append(started["session"])
                    assert await spoken_words(call, "hello   ") == ["hello"]
                assert (await centre.note("started")).caller == expected
                assert (await centre.note("ended")).caller == expected
        said = [data for _, data in passed.all]
    assert said
    assert not any(word in data for data in said for word in (caller.encode(), b"hello"))
    for store in stores.values():
        stored = [one async for one in store.read_now("CONTENT")]
        [final] = [one for one in stored if not one.subject.endswith(".ledger")]
        kept = msgspec.json.decode(final.data, type=KeptFinal)
        assert (kept.session, kept.text, kept.caller) == (sessions[0], "hello", caller)
        assert (kept.tenant, kept.policy, kept.region) == ("tenant-k", "eu-kept", "eu-central")
        assert (kept.seq, kept.sample_rate) == (1, 16000)
        assert final.subject == f"hv.content.eu-central.n-1.{sessions[0]}.transcripts"


@pytest.mark.parametrize("caller", ["", "x" * 129, "a\nb", "\u202e1", "a\x00", 7])
async def test_a_callers_id_that_is_none_is_refused_and_not_repeated(
    tmp_path: Path, caller: str | int
) -> None:
    async with memory_centre(k=("eu-only",)) as centre, fleet_node(centre, tmp_path) as node:
        async with node.call(key="k") as call:
            error = await opened(call, caller=caller)
        assert (error["code"], error["field"]) == ("invalid_message", "caller")
        assert error["value"] is None
        assert not isinstance(caller, str) or not caller or caller not in error["message"]


async def test_notes_wait_while_nobody_keeps_them(tmp_path: Path) -> None:
    async with memory_centre(k=("eu-only",)) as centre:
        line = centre.bus.beside()  # type: ignore[attr-defined]
        async with fleet_node(centre, tmp_path, bus=line) as node:
            line.cut()
            async with node.call(key="k") as call:
                assert await opened(call)
                assert await spoken_words(call, "hello   ") == ["hello"]
            line.mend()
            events = [await centre.note("started"), await centre.note("ended")]
            assert events[0].session == events[1].session
