"""Nodes of a fleet as processes, over a real nats-server, also with parts of it gone."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.exceptions import InvalidStatus

from shared.bundle import SKEW_S
from shared.clock import wall_s
from shared.exchange import NodeAsk, PlaceAnswer
from tests.support.fleet import FINISH, heard, opened, spoken_words
from tests.support.fleet_process import node_process, running_fleet
from tests.support.talk import spoken, words

pytestmark = [pytest.mark.process, pytest.mark.anyio]
DUBLIN = {"lat": 53.35, "lon": -6.26}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_seats_tickets_keys_and_a_goodbye(tmp_path: Path) -> None:
    """200 asks for 5 seats, a ticket redeemed once, a caller with a key, and the last report."""
    async with (
        running_fleet(tmp_path, "n-1", k=("eu-only",)) as fleet,
        node_process(fleet, "n-1", max_streams=5) as node,
    ):
        centre = fleet.centre
        answers = await asyncio.gather(*(centre.reserve(node, ttl_s=3.0) for _ in range(200)))
        granted = [ask for ask, answer in answers if answer.granted]
        assert len(granted) == 5
        assert {answer.code for _, answer in answers if not answer.granted} == {"node_full"}
        ticket = centre.ticket(node, granted[0])
        async with node.call(ticket=ticket) as call:
            assert (await opened(call))["session"] == granted[0].session
            async with node.call(ticket=ticket) as again:
                assert (await opened(again))["code"] == "ticket_refused"
            assert await spoken_words(call, "hello   ") == ["hello"]
        report = await centre.report(lambda report: report.reserved == 0)
        assert (report.held, report.limit, report.limited_by) == (0, 5, "max_streams")
        async with node.call(ticket=centre.ticket(node, granted[1])) as late:
            assert (await opened(late))["code"] == "ticket_refused"
        async with node.call(key="k") as call:
            started = await opened(call)
            assert (started["region"], started["decision"]) == ("eu-central", None)
            assert await spoken_words(call, "hello   ") == ["hello"]
        assert (await centre.note("ended")).admitted_by == "ticket"
        assert (await centre.note("ended")).admitted_by == "node"
        assert await node.stop() == 0
        assert (await centre.report(lambda report: report.goodbye)).boot == node.boot
        assert node.complaints() == []


async def test_tickets_that_are_not_for_here_and_clocks_that_are_apart(tmp_path: Path) -> None:
    """The seat stays promised whatever is shown for it; clocks may be 30 s apart either way."""
    stranger = Ed25519PrivateKey.generate()
    async with (
        running_fleet(tmp_path, "n-1") as fleet,
        node_process(fleet, "n-1", max_streams=2) as node,
    ):
        centre, now_s = fleet.centre, int(wall_s())
        (ask, _), (other, _) = [await centre.reserve(node) for _ in range(2)]
        good = centre.ticket(node, ask)
        claims = jwt.decode(good, options={"verify_signature": False})
        for wrong in (
            jwt.encode(claims, stranger, algorithm="EdDSA"),
            jwt.encode(claims, "", algorithm="none"),
            good[:-40] + "A" * 40,
            centre.ticket(node, ask, node="n-2"),
            centre.ticket(node, ask, iat=now_s - 400, exp=now_s - 370),
            centre.ticket(node, ask, iat=now_s + 300, exp=now_s + 330),
            centre.ticket(node, ask, reservation="never-promised"),
        ):
            async with node.call() as call:
                error = await opened(call, ticket=wrong)
                assert (error["type"], error["code"]) == ("error", "ticket_refused")
        slow = centre.ticket(node, ask, iat=now_s + 30, exp=now_s + 60)
        fast = centre.ticket(node, other, iat=now_s - 60, exp=now_s - 30)
        for ticket in (slow, fast):
            async with node.call() as call:
                assert (await opened(call, ticket=ticket))["type"] == "started"
        assert await node.stop() == 0
        assert node.complaints() == []


async def test_the_bus_goes_and_comes(tmp_path: Path) -> None:
    """Live sessions go on, callers with keys are served, and what was noted meanwhile arrives."""
    async with (
        running_fleet(tmp_path, "n-1", k=("eu-only",)) as fleet,
        node_process(fleet, "n-1") as node,
    ):
        centre = fleet.centre
        async with node.call(key="k") as before:
            first = await opened(before)
            await fleet.end_server()
            async with node.call(key="k") as call:
                second = await opened(call)
                assert await spoken_words(call, "hello   ") == ["hello"]
            async with node.call(key="k") as abroad:
                error = await opened(abroad, place=DUBLIN)
                assert error["code"] == "centre_unreachable"
            assert await spoken_words(before, "hello   ") == ["hello"]
        while not centre.reports.empty():
            centre.reports.get_nowait()
        await fleet.restart_server()
        report = await centre.report(lambda _: True)
        assert (report.boot, report.held) == (node.boot, 0)
        ended = {(await centre.note("ended")).session for _ in range(2)}
        assert ended == {first["session"], second["session"]}
        assert await node.stop() == 0
        assert node.complaints() == []


async def test_a_node_starts_with_everything_else_dark(tmp_path: Path) -> None:
    async with running_fleet(tmp_path, "n-1", k=("eu-only",)) as fleet:
        async with node_process(fleet, "n-1") as node:
            ask, _ = await fleet.centre.reserve(node)
            earlier = fleet.centre.ticket(node, ask)
            assert await node.stop() == 0
        await fleet.end_server()
        async with node_process(fleet, "n-1") as node:
            async with node.call(key="k") as call:
                assert (await opened(call))["type"] == "started"
            async with node.call() as call:
                error = await opened(call, ticket=earlier)
                assert (error["code"], error["field"]) == ("ticket_refused", "boot")
            assert await node.stop() == 0
            [complaint] = node.complaints()  # its region's server never came
            assert "2 notes of sessions could not be kept" in complaint


async def test_rules_that_run_out_let_nobody_in_until_the_centre_is_back(tmp_path: Path) -> None:
    """Fails closed a minute before the bundle's end; whoever was let in before speaks on."""
    async with running_fleet(tmp_path, "n-1", k=("eu-only",)) as fleet:
        centre = fleet.centre
        centre.life_s = SKEW_S + 4
        async with node_process(fleet, "n-1") as node, node.call(key="k") as before:
            assert (await opened(before))["type"] == "started"
            centre.silent = True
            await centre.report(lambda report: report.bundle_version is None)
            with pytest.raises(InvalidStatus) as refused:
                async with node.call(key="k"):
                    pass
            assert refused.value.response.status_code == 503
            _, seat = await centre.reserve(node)
            assert (seat.granted, seat.code) == (False, "rules_expired")
            assert await spoken_words(before, "hello   ") == ["hello"]
            centre.silent, centre.life_s = False, 86_400.0
            await centre.report(lambda report: report.bundle_version is not None)
            async with node.call(key="k") as call:
                assert (await opened(call))["decision"] is None
            assert node.complaints() == []


async def test_a_relay_between_two_nodes(tmp_path: Path) -> None:
    """Then the far node is killed: its caller is told, and the near node holds nothing."""
    async with (
        running_fleet(tmp_path, "n-1", "n-2", k=("*",)) as fleet,
        node_process(fleet, "n-1") as near,
        node_process(fleet, "n-2", "eu-west") as far,
    ):
        centre = fleet.centre
        promised = [await centre.reserve(far) for _ in range(2)]

        def answer(asked: NodeAsk) -> PlaceAnswer:
            ask, _ = promised.pop()
            return centre.placed(far, ask, relay=asked.relay)

        centre.answer = answer
        async with near.call(key="k") as call:
            await call.send(json.dumps({"type": "start", "place": DUBLIN}))
            await call.send(spoken("hello there   "))
            await call.send(FINISH)
            told: list[dict[str, Any]] = await heard(call)
        assert (told[0]["node"], told[0]["relayed_by"]) == ("n-2", "n-1")
        assert " ".join(words(told)) == "hello there"
        async with near.call(key="k") as call:
            assert (await opened(call, place=DUBLIN))["relayed_by"] == "n-1"
            await far.stop(signal.SIGKILL)
            error = (await heard(call))[-1]
            assert (error["code"], error["retryable"]) == ("engine_failed", True)
        report = await centre.report(lambda report: report.node == "n-1")
        assert report.held == 0
        assert await near.stop() == 0
        assert near.complaints() == []


RULES = """  agree: {allow: [everywhere], overflow: {zones: [everywhere]}, country_from: agree}
  ended: {allow: [everywhere], overflow: {zones: [everywhere]}, until: 2020-01-01}
rules:
  legal: {when: {data: [legal]}, allow: [india], may_refuse: true}
  past: {until: 2020-01-01, forbid: [everywhere], may_refuse: true}
"""


async def test_rules_that_the_centre_signed_hold_with_the_centre_dark(tmp_path: Path) -> None:
    """By what callers say of their data and whereabouts; a loopback address says nothing."""
    async with running_fleet(tmp_path, "n-1", k=("*",)) as fleet:
        centre = fleet.centre
        centre.world += RULES
        async with node_process(fleet, "n-1", max_streams=4) as node:
            ask, answer = await centre.reserve(node, data="tax", policy="default")
            assert answer.granted
            _, refused = await centre.reserve(node, data="legal", policy="default")
            assert (refused.granted, refused.code) == (False, "not_allowed")
            async with node.call(ticket=centre.ticket(node, ask, data="tax")) as call:
                error = await opened(call, data="legal")
                assert (error["code"], error["field"]) == ("ticket_refused", "data")
            async with node.call(ticket=centre.ticket(node, ask, data="tax")) as call:
                assert (await opened(call, data="tax"))["type"] == "started"
            centre.silent = True
            for said, code in (
                ({"data": "legal"}, "not_allowed"),
                ({"data": "Legal"}, "invalid_message"),
                ({"policy": "agree", "country": "DE"}, "place_unknown"),
                ({"policy": "ended"}, "policy_not_in_effect"),
                ({"country": "zz"}, "unsupported"),
            ):
                async with node.call(key="k") as call:
                    error = await opened(call, **said)
                    assert (error["type"], error["code"]) == ("error", code)
            async with node.call(key="k") as call:
                assert (await opened(call, data="tax", country="DE"))["type"] == "started"
            assert await node.stop() == 0
            assert node.complaints() == []
