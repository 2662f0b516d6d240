"""Callers who come straight to a node with a key: kept, sent on, passed on, or told why not."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from edge_node.centre import link
from shared.exchange import NodeAsk, PlaceAnswer
from tests.support.fleet import (
    FINISH,
    LIMIT_S,
    FakeCentre,
    FleetNode,
    fleet_node,
    heard,
    memory_centre,
    opened,
    spoken_words,
    until,
)
from tests.support.talk import spoken, words

pytestmark = pytest.mark.anyio
PARIS = {"lat": 48.85, "lon": 2.35}
DUBLIN = {"lat": 53.35, "lon": -6.26}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def two_nodes(
    tmp_path: Path, kind: str = "recognition", **settings: Any
) -> AsyncIterator[tuple[FakeCentre, FleetNode, FleetNode]]:
    """In eu-central and in eu-west; the centre sends everybody to the second."""
    async with (
        memory_centre(k=("*",)) as centre,
        fleet_node(centre, tmp_path / "1", **settings) as first,
        fleet_node(centre, tmp_path / "2", node_id="n-2", region="eu-west") as second,
    ):
        promised = [await centre.reserve(second, kind=kind) for _ in range(3)]

        def answer(asked: NodeAsk) -> PlaceAnswer:
            ask, _ = promised.pop()
            return centre.placed(second, ask, relay=asked.relay)

        centre.answer = answer
        yield centre, first, second


async def test_at_home_with_room_the_node_asks_nobody(tmp_path: Path) -> None:
    async with memory_centre(k=("eu-only",)) as centre, fleet_node(centre, tmp_path) as node:
        async with node.call(key="k") as call:
            started = await opened(call, place=PARIS)
            assert (started["region"], started["decision"]) == ("eu-central", None)
            assert await spoken_words(call, "hello   ") == ["hello"]
        assert centre.asks == []


async def test_unknown_keys_are_refused_in_the_handshake_and_in_start(tmp_path: Path) -> None:
    """Also one that an old keys file of the node would know."""
    async with memory_centre(k=("*",)) as centre, fleet_node(centre, tmp_path) as node:
        with pytest.raises(InvalidStatus) as refused:
            async with node.call(key="other"):
                pass
        assert refused.value.response.status_code == 401
        async with node.call() as call:
            assert (await opened(call, key="other"))["code"] == "unauthorised"
        async with node.call() as call:
            assert (await opened(call, key="k"))["type"] == "started"
        assert not (tmp_path / "state" / "keys.json").exists()


async def test_a_key_permits_its_policies_only(tmp_path: Path) -> None:
    async with (
        memory_centre(k=("eu-only",)) as centre,
        fleet_node(centre, tmp_path) as node,
        node.call(key="k") as call,
    ):
        error = await opened(call, policy="default")
        assert (error["code"], error["field"]) == ("forbidden", "policy")
        await heard(call)
        assert call.close_code == 4403


async def test_who_belongs_elsewhere_is_redirected_if_he_can_follow(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (centre, first, second):
        async with first.call(key="k") as call:
            answer = await opened(call, place=DUBLIN, redirect=True)
            assert (answer["type"], answer["node"], answer["reason"]) == (
                "redirect",
                "n-2",
                "not_home",
            )
            await heard(call)
            assert call.close_code == 4307
        assert not centre.asks[0].relay
        async with second.call(ticket=answer["ticket"]) as call:
            started = await opened(call, place=DUBLIN)
            assert (started["region"], started["decision"]) == ("eu-west", "d-1")
            assert await spoken_words(call, "hello   ") == ["hello"]
        await held_nothing(first, second)


async def test_who_cannot_follow_is_passed_on(tmp_path: Path) -> None:
    """Audio sent right behind start is not lost, and everything comes through as it is."""
    async with two_nodes(tmp_path, "conversation") as (centre, first, second):
        async with first.call(key="k") as call:
            audio = spoken("hello   ")
            start = {"type": "start", "kind": "conversation", "place": DUBLIN}
            await call.send(json.dumps(start))
            for at in range(0, len(audio), 777):
                await call.send(audio[at : at + 777])
            await call.send('{"type":"speak","id":"1","text":"abc"}')
            await call.send(FINISH)
            messages = await heard(call)
            assert call.close_code == 1000
        told = [one for one in messages if isinstance(one, dict)]
        assert (told[0]["type"], told[0]["node"], told[0]["relayed_by"]) == (
            "started",
            "n-2",
            "n-1",
        )
        assert words(told) == ["hello"]
        [said] = [one for one in told if one["type"] == "spoken"]
        assert sum(len(one) for one in messages if isinstance(one, bytes)) == 2 * said["samples"]
        assert centre.asks[0].relay
        assert (await centre.note("ended")).admitted_by == "relay"
        await held_nothing(first, second)


async def held_nothing(*nodes: FleetNode) -> None:
    def busy(one: FleetNode) -> bool:
        assert one.node.member is not None
        return bool(one.node.admission.taken or one.node.member.relays.live or one.node.live)

    await until(lambda: not any(busy(one) for one in nodes))


async def test_a_relay_dies_with_its_caller(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (_, first, second):
        async with first.call(key="k") as call:
            assert (await opened(call, place=DUBLIN))["type"] == "started"
            assert second.node.admission.taken == 1
            call.transport.abort()
        await held_nothing(first, second)


async def test_a_relay_dies_with_the_other_node(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (_, first, second):
        async with first.call(key="k") as call:
            assert (await opened(call, place=DUBLIN))["type"] == "started"
            for socket in tuple(second.node.registry.sockets):
                socket._wire.abort_for("test")  # type: ignore[attr-defined]
            error = (await heard(call))[-1]
            assert (error["code"], error["retryable"]) == ("engine_failed", True)
        await held_nothing(first, second)


async def test_errors_and_close_codes_come_through_a_relay(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (_, first, second):
        async with first.call(key="k") as call:
            assert (await opened(call, place=DUBLIN))["type"] == "started"
            await call.send('{"type":"sing"}')
            assert (await heard(call))[-1]["code"] == "invalid_message"
            assert call.close_code == 1007
        await held_nothing(first, second)


async def test_no_more_are_passed_on_than_a_node_may(tmp_path: Path) -> None:
    async with two_nodes(tmp_path, max_relays=1) as (centre, first, second):
        async with first.call(key="k") as call, first.call(key="k") as another:
            assert (await opened(call, place=DUBLIN))["type"] == "started"
            error = await opened(another, place=DUBLIN)
            assert (error["code"], error["retryable"]) == ("no_room", True)
        assert len(centre.asks) == 1
        await held_nothing(first, second)


async def test_a_policy_that_forbids_the_node_is_never_relayed(tmp_path: Path) -> None:
    async with (
        memory_centre(k=("*",)) as centre,
        fleet_node(centre, tmp_path) as node,
        node.call(key="k") as call,
    ):
        error = await opened(call, policy="in-only")
        assert (error["code"], centre.asks) == ("not_allowed", [])


@pytest.mark.parametrize("wish", [{"place": DUBLIN}, {"place": DUBLIN, "redirect": True}])
async def test_the_centre_silent(
    tmp_path: Path, wish: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "ASK_S", 0.05)
    async with memory_centre(k=("*",)) as centre, fleet_node(centre, tmp_path) as node:
        centre.silent = True
        async with node.call(key="k") as call:
            error = await opened(call, **wish)
            assert (error["code"], error["retryable"]) == ("centre_unreachable", True)
        async with node.call(key="k") as call:
            assert (await opened(call, place=PARIS))["type"] == "started"


async def test_the_centres_refusal_is_told_with_its_decision(tmp_path: Path) -> None:
    async with memory_centre(k=("*",)) as centre, fleet_node(centre, tmp_path) as node:
        centre.answer = lambda _: PlaceAnswer(
            False, decision="d-9", code="no_room", message="all full", retryable=True
        )
        async with node.call(key="k") as call:
            error = await opened(call, place=DUBLIN)
            assert (error["code"], error["message"], error["decision"]) == (
                "no_room",
                "all full",
                "d-9",
            )


async def test_the_centre_may_send_a_caller_back_here(tmp_path: Path) -> None:
    async with memory_centre(k=("*",)) as centre, fleet_node(centre, tmp_path) as node:
        promised, _ = await centre.reserve(node)
        centre.answer = lambda _: centre.placed(node, promised)
        async with node.call(key="k") as call:
            started = await opened(call, place=DUBLIN)
            assert (started["session"], started["decision"]) == (promised.session, "d-1")
            assert await spoken_words(call, "hello   ") == ["hello"]
        assert node.node.admission.taken == node.node.admission.reserved == 0


@pytest.mark.parametrize("back_here", [False, True])
async def test_who_goes_away_meanwhile_leaves_no_seat(tmp_path: Path, back_here: bool) -> None:
    """Elsewhere it is given back; here it is free again."""
    async with two_nodes(tmp_path) as (centre, first, second):
        to = first if back_here else second
        promised, _ = await centre.reserve(to)
        centre.answer = lambda _: centre.placed(to, promised)
        centre.may_answer.clear()
        async with first.call(key="k") as call:
            await call.send(json.dumps({"type": "start", "place": DUBLIN, "redirect": True}))
            await centre.asked.wait()
        await until(lambda: not first.node.registry.sockets)
        centre.may_answer.set()
        if back_here:
            await until(lambda: not first.node.admission.reserved)
        else:
            async with asyncio.timeout(LIMIT_S):
                assert await centre.given_back.get() == promised.session
        await held_nothing(first, second)


async def test_bundles_fail_closed_and_come_again(tmp_path: Path) -> None:
    async with memory_centre(k=("*",)) as centre, fleet_node(centre, tmp_path) as node:
        member = node.node.member
        assert member is not None
        real = member.bundles._wall_s
        nearly_s = centre.life_s - 59
        member.bundles._wall_s = lambda: real() + nearly_s
        async with httpx.AsyncClient(trust_env=False) as http:
            ready = await http.get(f"{node.url}/readyz")
        assert (ready.status_code, "bundle" in ready.json()["checks"]) == (503, True)
        with pytest.raises(InvalidStatus) as refused:
            async with node.call(key="k"):
                pass
        assert refused.value.response.status_code == 503
        async with node.call() as call:
            assert (await opened(call, key="k"))["code"] == "rules_expired"
        centre.life_s *= 3
        await centre.news()
        await until(lambda: member.bundles.rules is not None)
        async with node.call(key="k") as call:
            assert (await opened(call))["type"] == "started"


async def test_a_node_starts_with_the_centre_dark_by_the_bundle_it_kept(tmp_path: Path) -> None:
    async with memory_centre(k=("*",)) as centre:
        async with fleet_node(centre, tmp_path):
            pass
        kept = tmp_path / "state" / "bundle.jwt"
        assert kept.stat().st_mode & 0o777 == 0o600
        centre.silent = True
        async with fleet_node(centre, tmp_path) as node, node.call(key="k") as call:
            assert (await opened(call))["type"] == "started"


async def test_news_bring_a_new_key_at_once(tmp_path: Path) -> None:
    async with memory_centre(k=("*",)) as centre, fleet_node(centre, tmp_path) as node:
        centre.keys["fresh"] = ("eu-only",)
        await centre.news()
        async with asyncio.timeout(LIMIT_S):
            while True:
                async with node.call() as call:
                    if (await opened(call, key="fresh"))["type"] == "started":
                        break


async def test_texts_over_http_obey_policies_and_are_noted(tmp_path: Path) -> None:
    async with (
        memory_centre(k=("eu-only",), india=("in-only",)) as centre,
        fleet_node(centre, tmp_path) as node,
        httpx.AsyncClient(base_url=node.url, trust_env=False) as http,
    ):
        said = await http.post(
            "/v1/speech", json={"text": "good day"}, headers={"Authorization": "Bearer k"}
        )
        assert (said.status_code, said.content[:4]) == (200, b"RIFF")
        note = await centre.note("ended")
        assert (note.tenant, note.characters, note.kind) == ("tenant-k", 8, "synthesis")
        refused = await http.post(
            "/v1/speech", json={"text": "good day"}, headers={"Authorization": "Bearer india"}
        )
        assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
        unknown = await http.post(
            "/v1/speech", json={"text": "hi"}, headers={"Authorization": "Bearer x"}
        )
        assert unknown.status_code == 401
