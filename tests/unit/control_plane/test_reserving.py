"""Asking nodes for seats: silence, lateness, and seats that nobody came for."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from control_plane.api.front import gone_of
from control_plane.orders import order_of_request
from control_plane.placing import CallerGone
from control_plane.reserving import AT_ONCE
from heliovox.protocol.control import SessionRequest
from shared import subjects
from shared.exchange import Reserve, Reserved
from tests.unit.control_plane.test_plane import PARIS, Running, with_plane


def granted(wanted: Reserve) -> Reserved:
    return Reserved(True, "c-1", "b1", wanted.ttl_s, held=1, limit=10)


def test_a_node_that_answers_others_is_busy_and_not_stale(tmp_path: Path) -> None:
    """One answer of many is lost: whoever waited for it goes on, and nobody else is turned away."""

    async def go(plane: Running) -> None:
        lost: list[Reserve] = []

        def answer(wanted: Reserve) -> Reserved | None:
            if not lost:
                lost.append(wanted)
                return None
            return granted(wanted)

        node = await plane.node("eu-central", "c-1", answer=answer)
        body = PARIS | {"policy": "eu-only"}
        first = asyncio.get_running_loop().create_task(plane("POST", "/v1/sessions", body))
        await plane.until(lambda: lost)
        await asyncio.sleep(0.05)
        assert (await plane("POST", "/v1/sessions", body)).status_code == 201
        said = (await first).json()
        assert (await plane("POST", "/v1/sessions", body)).status_code == 201, said
        await plane.until(lambda: node.commands)
        assert [told.reservation for told in node.commands] == [lost[0].reservation]

    with_plane(tmp_path, go)


def test_nobody_is_refused_for_a_seat_that_another_asks_for_and_does_not_get(
    tmp_path: Path,
) -> None:
    """The only seat is asked for, and not got: whoever came meanwhile has it."""

    async def go(plane: Running) -> None:
        node = await plane.node("eu-central", "c-1", seats=1)
        await node.end()
        asked: list[Reserve] = []
        go_on = asyncio.Event()

        async def answer(_: str, data: bytes) -> bytes:
            wanted = msgspec.json.decode(data, type=Reserve)
            asked.append(wanted)
            if len(asked) > 1:
                return msgspec.json.encode(granted(wanted))
            await go_on.wait()
            return msgspec.json.encode(Reserved(False, "c-1", "b1", code="invalid_message"))

        await node.bus.subscribe(subjects.reserve(node.region, node.name), answer)
        body = PARIS | {"policy": "eu-only"}
        loop = asyncio.get_running_loop()
        first = loop.create_task(plane("POST", "/v1/sessions", body))
        await plane.until(lambda: asked)
        second = loop.create_task(plane("POST", "/v1/sessions", body))
        await plane.until(lambda: len(plane.plane.decisions) == 1)  # the second one's, a refusal
        for _ in range(50):
            await asyncio.sleep(0)
        assert not second.done()
        go_on.set()
        assert 201 in [(await first).status_code, (await second).status_code]

    with_plane(tmp_path, go)


def test_who_was_sent_to_full_nodes_is_decided_again(tmp_path: Path) -> None:
    """Four nodes that seemed free are full: the fifth is asked too."""

    async def go(plane: Running) -> None:
        for number in range(5):

            def full(_: Reserve, name: str = f"c-{number}") -> Reserved:
                return Reserved(False, name, "b1", code="node_full")

            await plane.node("eu-central", f"c-{number}", answer=full)
        await plane.node("eu-west", "w-1")
        said = await plane("POST", "/v1/sessions", PARIS | {"policy": "eu-only"})
        assert (said.status_code, said.json().get("node")) == (201, "w-1")

    with_plane(tmp_path, go)


def test_a_node_is_asked_for_so_many_seats_at_one_time(tmp_path: Path) -> None:
    async def go(plane: Running) -> None:
        node = await plane.node("eu-central", "c-1", seats=100)
        await node.end()
        now = most = 0

        async def slow(_: str, data: bytes) -> bytes:
            nonlocal now, most
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.02)
            now -= 1
            return msgspec.json.encode(granted(msgspec.json.decode(data, type=Reserve)))

        await node.bus.subscribe(subjects.reserve(node.region, node.name), slow, at_once=100)
        body = PARIS | {"policy": "eu-only"}
        answers = await asyncio.gather(*(plane("POST", "/v1/sessions", body) for _ in range(20)))
        assert {one.status_code for one in answers} == {201}
        assert most == AT_ONCE

    with_plane(tmp_path, go)


@pytest.mark.parametrize("times", [2, 5])
def test_a_request_that_comes_again_takes_no_second_seat(tmp_path: Path, times: int) -> None:
    async def go(plane: Running) -> None:
        node = await plane.node("eu-central", "c-1")
        headers = {"Idempotency-Key": "call-7"}
        answers = await asyncio.gather(
            *(plane("POST", "/v1/sessions", PARIS, headers=headers) for _ in range(times))
        )
        assert len({one.text for one in answers}) == 1
        assert len(node.held) == 1
        other = await plane("POST", "/v1/sessions", PARIS, key="operator", headers=headers)
        assert other.json()["session"] != answers[0].json()["session"]  # another tenant's key
        mixed = await plane("POST", "/v1/sessions", {"country": "FR"}, headers=headers)
        assert (mixed.status_code, mixed.json()["field"]) == (400, "Idempotency-Key")

    with_plane(tmp_path, go)


def test_whoever_is_gone_before_the_answer_holds_no_seat(tmp_path: Path) -> None:
    async def go(plane: Running) -> None:
        node = await plane.node("eu-central", "c-1")
        centre = plane.plane.centre()
        order = order_of_request(
            SessionRequest(country="FR"), plane.plane.tenants.keyring.records[0],
            centre.world(), None, None, 0,
        )  # fmt: skip
        with pytest.raises(CallerGone):
            await centre.placing.place(order, lambda: True)
        assert node.asked == []
        gone = iter([False, True])
        with pytest.raises(CallerGone):
            await centre.placing.place(order, lambda: next(gone))
        await plane.until(lambda: node.commands)
        assert (len(node.asked), node.held) == (1, {})

    with_plane(tmp_path, go)


@pytest.mark.parametrize("gone", [True, False])
def test_a_connection_that_is_gone_is_known_without_waiting(gone: bool) -> None:
    async def go() -> None:
        over = asyncio.Event()
        if gone:
            over.set()

        async def receive() -> dict[str, str]:
            await over.wait()
            return {"type": "http.disconnect"}

        assert gone_of(receive)() is gone

    asyncio.run(go())
