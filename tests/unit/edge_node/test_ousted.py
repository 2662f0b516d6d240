"""New rules that forbid a live session's region: it finishes, ends or moves, and that is noted."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

import edge_node.ousting
from shared.exchange import NodeAsk, PlaceAnswer
from tests.support.fleet import (
    FINISH,
    WORLD,
    FakeCentre,
    FleetNode,
    fleet_node,
    heard,
    memory_centre,
    opened,
)
from tests.support.talk import spoken, words
from tests.unit.edge_node.test_old_rules import bundles_of, taken_over

pytestmark = pytest.mark.anyio
SAID = "hello there dear"
"""Two chunks, so that something of it comes back before more is said."""
DUBLIN = {"lat": 53.35, "lon": -6.26}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def forbidding(does: str, until: str = "") -> str:
    """German regions are not allowed any more; of live sessions becomes what is said."""
    world = WORLD.replace("zones:\n", "zones:\n  german: [de]\n")
    world = world.replace("eu-only: {", f"eu-only: {{when_forbidden: {does}, ")
    return f"{world}rules:\n  gone: {{when: {{policies: [eu-only]}}, forbid: [german]{until}}}\n"


async def talking(call: ClientConnection, text: str, **start: Any) -> dict[str, Any]:
    """A session in the middle of a word; what `started` said."""
    started = await opened(call, policy="eu-only", **start)
    assert started["type"] == "started"
    await call.send(spoken(text))
    async with asyncio.timeout(5):
        while json.loads(await call.recv())["type"] != "partial":
            pass
    return started


def version(node: FleetNode) -> tuple[str, str]:
    rules = bundles_of(node).rules
    assert rules is not None
    return rules.bundle.version, rules.policies.version


async def test_a_session_that_may_finish_goes_on_and_that_is_noted(tmp_path: Path) -> None:
    async with memory_centre(k=("*",)) as centre, fleet_node(centre, tmp_path) as node:
        async with node.call(key="k") as call:
            await talking(call, SAID)
            by, policy_version = version(node)
            await taken_over(node, centre, forbidding("finish"))
            note = await centre.note("usage")
            assert note.ruled is not None
            assert (note.ruled.does, note.ruled.clause) == ("finish", "gone.forbid")
            assert (note.ruled.bundle_version, note.ruled.policy_version) == version(node)
            assert (note.bundle_version, note.policy_version) == (by, policy_version)
            await call.send(spoken(" again   "))
            await call.send(FINISH)
            assert words(await heard(call)) == [f"{SAID} again"]
        ended = await centre.note("ended")
        assert (ended.reason, ended.ruled) == ("finish", note.ruled)


@pytest.mark.parametrize("start", [{}, {"redirect": True, "moves": True}])
async def test_a_session_that_must_end_tells_its_words_and_why(
    tmp_path: Path, start: dict[str, Any]
) -> None:
    async with memory_centre(k=("*",)) as centre, fleet_node(centre, tmp_path) as node:
        async with node.call(key="k") as call, node.call(key="k") as other:
            await talking(call, SAID, **start)
            assert (await opened(other))["type"] == "started"  # by a policy that says nothing
            await taken_over(node, centre, forbidding("end"))
            told = await heard(call)
            assert words(told) == [SAID]
            error = told[-1]
            assert (error["type"], error["code"]) == ("error", "no_longer_allowed")
            bundle_version, policy_version = version(node)
            for said in ("gone.forbid", bundle_version, policy_version, "eu-central"):
                assert said in error["message"]
            assert error["retryable"]
            assert call.close_code == 4403
            ended = await centre.note("ended")
            assert ended.reason == "no_longer_allowed"
            assert ended.ruled is not None
            assert (ended.ruled.does, ended.ruled.bundle_version) == ("end", bundle_version)
            await other.send(spoken("still here   "))
            await other.send(FINISH)
            assert words(await heard(other)) == ["still here"]
        assert centre.asks == []


async def test_a_date_ends_sessions_as_new_rules_do(tmp_path: Path) -> None:
    async with memory_centre(k=("*",)) as centre:
        centre.world = forbidding("end", ", from: 2100-01-01")
        async with fleet_node(centre, tmp_path) as node, node.call(key="k") as call:
            await talking(call, SAID)
            member = node.node.member
            assert member is not None
            member.warden._at_ms = lambda: 4_102_444_800_000
            assert (await heard(call))[-1]["code"] == "no_longer_allowed"


async def test_a_policy_that_is_no_more_ends_its_sessions(tmp_path: Path) -> None:
    async with (
        memory_centre(k=("*",)) as centre,
        fleet_node(centre, tmp_path) as node,
        node.call(key="k") as call,
    ):
        await talking(call, SAID)
        await taken_over(node, centre, WORLD.replace("eu-only", "eu-new"))
        assert "no_such_policy" in (await heard(call))[-1]["message"]


async def test_a_session_whose_words_do_not_come_ends_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_node.ousting, "OUST_S", 0.05)
    async with memory_centre(k=("*",)) as centre, fleet_node(centre, tmp_path) as node:
        async with node.call(key="k") as call:
            await talking(call, SAID)
            node.node.recogniser.device.push = lambda *_: None  # type: ignore[method-assign,assignment]
            await taken_over(node, centre, forbidding("end"))
            assert (await heard(call))[-1]["code"] == "no_longer_allowed"
        await centre.report(lambda report: report.held == 0)


# --- moving ---


async def moved(
    folder: Path,
    answer: Callable[[FakeCentre, FleetNode], Callable[[NodeAsk], PlaceAnswer | None]],
    **start: Any,
) -> tuple[list[Any], FakeCentre]:
    """What a caller is told whose session should move, and the centre that was asked."""
    async with (
        memory_centre(k=("*",)) as centre,
        fleet_node(centre, folder / "1") as node,
        fleet_node(centre, folder / "2", node_id="n-2", region="eu-west") as other,
        node.call(key="k") as call,
    ):
        centre.answer = answer(centre, other)
        given = {"redirect": True, "moves": True, "place": {"lat": 48.85, "lon": 2.35}}
        await talking(call, SAID, **(given | start))
        await taken_over(node, centre, forbidding("move"))
        told = await heard(call)
        await centre.report(lambda report: (report.node, report.held) == ("n-1", 0))
        return told, centre


async def test_a_session_that_moves_is_sent_on_with_its_utterance_whole(
    tmp_path: Path,
) -> None:
    def seat(centre: FakeCentre, other: FleetNode) -> Callable[[NodeAsk], PlaceAnswer]:
        return lambda ask: PlaceAnswer(
            True, "s", other.name, other.region, other.stream_url, "ticket", "d"
        )

    told, centre = await moved(tmp_path, seat)
    assert words(told) == []  # an utterance is not cut in two
    redirect = told[-1]
    assert (redirect["type"], redirect["node"], redirect["reason"]) == (
        "redirect", "n-2", "no_longer_allowed",
    )  # fmt: skip
    [ask] = centre.asks
    assert (ask.why, ask.relay, ask.policy, ask.tenant) == (
        "no_longer_allowed", False, "eu-only", "tenant-k",
    )  # fmt: skip
    assert ask.place is not None
    assert redirect["from_sample"] == 0
    note = await centre.note("ended")
    assert note.reason == "moved"
    assert centre.given_back.empty()


FULL = PlaceAnswer(False, code="no_room", message="all are full", retryable=True)
FORBIDDEN = PlaceAnswer(True, "s", "x", "eu-central", "ws://x/v1/stream", "t", "d")


@pytest.mark.parametrize(
    ("answer", "start", "why", "given_back"),
    [
        (FULL, {}, "all are full", 0),
        (FORBIDDEN, {}, "forbidden", 1),
        (None, {}, "does not answer", 0),
        (PlaceAnswer(False), {"moves": False}, "gone.forbid", 0),
    ],
)
async def test_who_cannot_be_moved_is_told_so(
    tmp_path: Path,
    answer: PlaceAnswer | None,
    start: dict[str, Any],
    why: str,
    given_back: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edge_node.centre.link.ASK_S", 0.1)
    told, centre = await moved(tmp_path, lambda *_: lambda _: answer, **start)
    assert words(told) == [SAID]
    assert (told[-1]["code"], why in told[-1]["message"]) == ("no_longer_allowed", True)
    assert centre.given_back.qsize() == given_back
    assert len(centre.asks) == (0 if start else 1)


async def test_a_caller_who_is_passed_on_is_ended_where_he_may_not_be_heard(tmp_path: Path) -> None:
    """He is in a session of the other node, and this one hears him."""
    async with (
        memory_centre(k=("*",)) as centre,
        fleet_node(centre, tmp_path / "1") as node,
        fleet_node(centre, tmp_path / "2", node_id="n-2", region="eu-west") as other,
        node.call(key="k") as call,
    ):
        promised, _ = await centre.reserve(other)
        centre.answer = lambda _: centre.placed(other, promised, relay=True)
        started = await talking(call, SAID, place=DUBLIN)
        assert started["relayed_by"] == "n-1"
        await taken_over(node, centre, forbidding("end"))
        told = await heard(call)
        assert words(told) == [SAID]
        assert told[-1]["code"] == "no_longer_allowed"
        await centre.report(lambda report: (report.node, report.held) == ("n-2", 0))
        assert node.node.passed == set()
