"""Moves and drains, through a whole control plane with scripted nodes."""

import asyncio
from pathlib import Path
from typing import Any

from shared.bus.memory import MemoryBus
from shared.exchange import Command
from tests.support.fake_node import FakeNode
from tests.unit.control_plane.test_going_on import OPENED, begun, digest, noted
from tests.unit.control_plane.test_plane import Running, running, with_plane


async def move(plane: Running, session: str, **body: Any) -> Any:
    return await plane("POST", f"/v1/sessions/{session}/move", body, key="operator")


def moves(node: FakeNode) -> list[Command]:
    return [told for told in node.commands if told.do == "move"]


async def arrived(plane: Running, node: FakeNode, session: str, number: int = 2) -> None:
    """Its caller is there."""
    token = digest(f"token {number}")
    says = {"recovery_number": number, "recovery_sha256": token, "from_sample": 16_000}
    await noted(plane, node, "resumed", session, **says)


def test_a_seat_is_held_before_its_node_is_told_to_let_it_go(tmp_path: Path) -> None:
    async def go(plane: Running) -> None:
        one = await plane.node("eu-central", "c-1", models=("m",))
        session = await begun(plane, one)
        two = await plane.node("eu-central", "c-2", models=("m",))
        answer = await move(plane, session)
        said = answer.json()
        assert answer.status_code == 200, said
        assert (said["from_node"], said["to_node"]) == ("c-1", "c-2")
        (wanted,) = two.asked
        assert (wanted.session, wanted.resumes) == (session, 1)
        (told,) = moves(one)
        assert told.move is not None
        assert (told.session, told.move.node, told.move.reason) == (session, "c-2", "moved")
        assert (told.move.decision, bool(told.move.ticket)) == (said["decision"], True)
        why = (await plane("GET", f"/v1/decisions/{said['decision']}", key="operator")).json()
        assert (why["continues"], why["because"]) == (session, "moved")
        assert why["place"] == {"lat": 48.85, "lon": 2.35}
        await arrived(plane, two, session)
        await plane.until(lambda: any(told.do == "give_up" for told in one.commands))
        back = (await move(plane, session, to="c-1")).json()
        assert back["to_node"] == "c-1"

    with_plane(tmp_path, go)


def test_what_cannot_be_is_refused_before_anything_happens(tmp_path: Path) -> None:
    async def go(plane: Running) -> None:
        one = await plane.node("eu-central", "c-1", models=("m",))
        waits = (await plane("POST", "/v1/sessions", OPENED)).json()["session"]
        fixed = await begun(plane, one, recovery_number=0, recovery_sha256="")
        session = await begun(plane, one)
        two = await plane.node("eu-central", "c-2", seats=0, models=("m",))
        await plane.node("us-east", "e-1", models=("m",))
        wrong = [
            ("0" * 16, {}, 404, "not_found", "session"),
            (waits, {}, 409, "not_movable", "session"),
            (fixed, {}, 409, "not_movable", "session"),
            (session, {"to": "c-9"}, 404, "not_found", "to"),
            (session, {"to": "c-1"}, 409, "not_movable", "to"),
            (session, {"to": "e-1"}, 403, "not_allowed", "to"),
            (session, {"to": "c-2"}, 503, "no_room", None),
            (session, {}, 503, "no_room", None),
        ]
        for name, body, status, code, field in wrong:
            said = (await move(plane, name, **body)).json()
            assert (said["status"], said["code"]) == (status, code), said
            assert field is None or said["field"] == field
            assert said["remedy"]
        assert moves(one) == []
        assert two.held == {}
        assert len(plane.plane.ahead) == 0

    with_plane(tmp_path, go)


def test_of_two_moves_at_once_the_second_is_told_so(tmp_path: Path) -> None:
    async def go(plane: Running) -> None:
        one = await plane.node("eu-central", "c-1", models=("m",))
        session = await begun(plane, one)
        await plane.node("eu-central", "c-2", models=("m",))
        await plane.node("eu-central", "c-3", models=("m",))
        both = await asyncio.gather(*(move(plane, session) for _ in range(4)))
        assert sorted(answer.status_code for answer in both) == [200, 409, 409, 409]
        later = (await move(plane, session)).json()
        assert (later["code"], later["retryable"]) == ("move_under_way", True)
        assert len(moves(one)) == 1

    with_plane(tmp_path, go)


def test_of_two_control_planes_one_moves_it(tmp_path: Path) -> None:
    async def go() -> None:
        bus = MemoryBus()
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
        async with running(tmp_path / "one", bus) as first:
            one = await first.node("eu-central", "c-1", models=("m",))
            session = await begun(first, one)
            two = await first.node("eu-central", "c-2", models=("m",))
            async with running(tmp_path / "two", bus, plane_id="p-2") as second:
                second.folder = first.folder
                await second.until(lambda: second.plane.notes.taken)
                await two.report()
                await second.until(lambda: len(second.plane.feed.nodes()) == 1)
                await one.report()
                await second.until(lambda: len(second.plane.feed.nodes()) == 2)
                both = await asyncio.gather(move(first, session), move(second, session))
                codes = [answer.json().get("code", "moved") for answer in both]
                assert sorted(codes) == ["move_under_way", "moved"], codes
                assert len(moves(one)) == 1

    asyncio.run(go())


def test_a_seat_is_given_back_where_its_node_refuses_or_the_session_ends(tmp_path: Path) -> None:
    async def go(plane: Running) -> None:
        one = await plane.node("eu-central", "c-1", models=("m",))
        session = await begun(plane, one)
        two = await plane.node("eu-central", "c-2", models=("m",))
        one.refuses["move"] = "its caller cannot follow"
        said = (await move(plane, session)).json()
        assert said["code"] == "command_refused"
        await plane.until(lambda: not two.held)
        one.refuses.clear()
        assert (await move(plane, session)).status_code == 200
        assert list(two.held) == [session]
        await noted(plane, one, "ended", session, reason="finish")
        await plane.until(lambda: not two.held)
        assert len(plane.plane.ahead) == 0

    with_plane(tmp_path, go)


async def drained(plane: Running, node: str, query: str = "") -> Any:
    return (await plane("POST", f"/v1/nodes/{node}/drain{query}", {}, key="operator")).json()


async def so_far(plane: Running, node: str) -> Any:
    return (await plane("GET", f"/v1/nodes/{node}/drain", key="operator")).json()


def test_a_drained_nodes_sessions_go_and_who_cannot_is_listed(tmp_path: Path) -> None:
    async def go(plane: Running) -> None:
        one = await plane.node("eu-central", "c-1", models=("m",))
        going = [await begun(plane, one) for _ in range(3)]
        fixed = await begun(plane, one, recovery_number=0, recovery_sha256="")
        two = await plane.node("eu-central", "c-2", models=("m",))
        first = await drained(plane, "c-1")
        assert (first["draining"], first["live"], first["done"]) == (True, 4, False)
        await plane.until(lambda: len(moves(one)) == 3)
        assert {told.move.reason for told in moves(one) if told.move} == {"draining"}
        for session in going:
            await arrived(plane, two, session)

        async def done() -> bool:
            return bool((await so_far(plane, "c-1"))["done"])

        await plane.until_it(done)
        said = await so_far(plane, "c-1")
        assert (said["moved"], said["moving"], said["live"]) == (3, 0, 1)
        assert [(one["session"], one["code"]) for one in said["stays"]] == [(fixed, "not_movable")]
        assert (await plane("POST", "/v1/nodes/c-1/undrain", {}, key="operator")).is_success
        assert (await plane("POST", "/v1/nodes/c-9/drain", {}, key="operator")).status_code == 404

    with_plane(tmp_path, go)


def test_a_node_that_stops_by_itself_is_emptied_too(tmp_path: Path) -> None:
    """Its report says that it takes nobody new: SIGTERM."""

    async def go(plane: Running) -> None:
        one = await plane.node("eu-central", "c-1", models=("m",))
        await begun(plane, one)
        await plane.node("eu-central", "c-2", models=("m",))
        await one.report(draining=True)
        one.says["draining"] = True
        await plane.until(lambda: len(moves(one)) == 1)

    with_plane(tmp_path, go)


def test_who_is_to_stay_stays(tmp_path: Path) -> None:
    async def go(plane: Running) -> None:
        one = await plane.node("eu-central", "c-1", models=("m",))
        await begun(plane, one)
        await plane.node("eu-central", "c-2", models=("m",))
        said = await drained(plane, "c-1", "?keep=true")
        assert (said["keeps"], said["live"], said["done"]) == (True, 1, False)
        looked_at: list[str] = []
        keeps = plane.plane.draining._keeps

        async def asked(node: str) -> bool:
            looked_at.append(node)
            return await keeps(node)

        plane.plane.draining._keeps = asked  # type: ignore[method-assign]
        await plane.until(lambda: len(looked_at) > 1)
        assert moves(one) == []
        await one.report()
        await drained(plane, "c-1")
        await plane.until(lambda: len(moves(one)) == 1)

    with_plane(tmp_path, go)


def test_a_node_that_was_started_again_is_emptied_when_it_stops(tmp_path: Path) -> None:
    """That its sessions stay was said of its former start."""

    async def go(plane: Running) -> None:
        one = await plane.node("eu-central", "c-1", models=("m",))
        await drained(plane, "c-1", "?keep=true")
        await one.end()
        again = await plane.node("eu-central", "c-1", models=("m",), boot="b999999")
        await plane.until(lambda: plane.plane.draining._boot("c-1") == "b999999")
        await begun(plane, again)
        await plane.node("eu-central", "c-2", models=("m",))
        again.says["draining"] = True
        await again.report()
        await plane.until(lambda: len(moves(again)) == 1)

    with_plane(tmp_path, go)
