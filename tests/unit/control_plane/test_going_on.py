"""Sessions that go on at another node, through a whole control plane with scripted nodes."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

from control_plane.going_on import AGAIN_S
from shared.clock import Clock, wall_ms, wall_s
from shared.ticket import verify_ticket
from tests.support.fake_node import FakeNode
from tests.unit.control_plane.test_plane import PARIS, Running, with_plane

OPENED = PARIS | {"policy": "eu-only"}
TOKEN = "token one"


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class Later:
    """A clock that is ahead."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now_s(self) -> float:
        return self._clock.now_s() + AGAIN_S

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


async def noted(plane: Running, node: FakeNode, event: str, session: str, **says: Any) -> None:
    """A note, once the centre has taken it."""
    before = plane.plane.notes.taken
    given: dict[str, Any] = {
        "id": f"{session}-{event}-{before}", "policy": "eu-only", "recovery_number": 1,
        "recovery_sha256": digest(TOKEN), "recovery_s": 120.0, "home": "eu-central",
    }  # fmt: skip
    await node.note(event, session, **(given | says))
    await plane.until(lambda: plane.plane.notes.taken > before)


async def begun(plane: Running, node: FakeNode, **says: Any) -> str:
    """A session that is live at its node. Returns its id."""
    placed = (await plane("POST", "/v1/sessions", OPENED)).json()
    assert placed["node"] == node.name
    await noted(plane, node, "started", placed["session"], decision=placed["decision"], **says)
    return str(placed["session"])


async def resumed(plane: Running, session: str, **more: Any) -> Any:
    asked = {"token": TOKEN, "request": OPENED | {"model": None}} | more
    return await plane("POST", f"/v1/sessions/{session}/resume", asked)


def test_a_session_goes_on_at_another_node_under_its_own_name(tmp_path: Path) -> None:
    async def go(plane: Running) -> None:
        one = await plane.node("eu-central", "c-1", models=("m",))
        session = await begun(plane, one)
        two = await plane.node("eu-central", "c-2", models=("m",))
        await one.end()
        answer = await resumed(plane, session, without=["c-1"])
        said = answer.json()
        assert answer.status_code == 201, said
        assert (said["session"], said["node"]) == (session, "c-2")
        (wanted,) = two.asked
        assert (wanted.session, wanted.resumes, wanted.home) == (session, 1, "eu-central")
        ticket = verify_ticket(
            said["ticket"], plane.plane.key.public_key(), node="c-2", boot=two.boot, now_s=wall_s()
        )
        assert (ticket.session, ticket.resumes, ticket.model) == (session, 1, "m")
        why = (await plane("GET", f"/v1/decisions/{said['decision']}", key="operator")).json()
        assert (why["continues"], why["because"], why["came_from"]) == (session, "resumed", "c-1")
        assert {one["node"]: one["reason"] for one in why["losers"]} == {"c-1": "excluded"}
        await noted(plane, two, "resumed", session, recovery_number=2, from_sample=16_000)
        seen = (await plane("GET", f"/v1/sessions/{session}")).json()
        assert (seen["state"], seen["node"], seen["came_from"]) == ("live", "c-2", "c-1")
        assert len(plane.plane.ahead) == 0

    with_plane(tmp_path, go)


def test_who_lost_the_answer_asks_again_and_gets_the_same_seat(tmp_path: Path) -> None:
    async def go(plane: Running) -> None:
        one = await plane.node("eu-central", "c-1", models=("m",))
        session = await begun(plane, one)
        two = await plane.node("eu-central", "c-2", models=("m",))
        both = await asyncio.gather(*(resumed(plane, session, without=["c-1"]) for _ in range(3)))
        assert len({answer.json()["ticket"] for answer in both}) == 1
        assert len(two.asked) == 1
        plane.plane.going_on._repeats._clock = Later(plane.plane.clock)
        other = (await resumed(plane, session, without=["c-1"])).json()
        assert other["ticket"] != both[0].json()["ticket"], "the way there was lost, not the answer"
        await plane.until(lambda: len(two.asked) == 2)
        three = await plane.node("eu-central", "c-3", models=("m",))
        again = (await resumed(plane, session, without=["c-1", "c-2"])).json()
        assert again["node"] == "c-3"
        await plane.until(lambda: [told.do for told in two.commands] == ["release", "release"])
        assert len(three.held) == 1

    with_plane(tmp_path, go)


def test_what_is_wrong_is_refused_and_no_node_is_asked(tmp_path: Path) -> None:
    async def go(plane: Running) -> None:
        one = await plane.node("eu-central", "c-1", models=("m",))
        session = await begun(plane, one)
        two = await plane.node("eu-central", "c-2", models=("m",))
        for answer in (
            await resumed(plane, session, token="forged"),
            await resumed(plane, "0" * 16),
            await resumed(plane, session, request=OPENED | {"language": "de"}),
            await plane(
                "POST", f"/v1/sessions/{session}/resume",
                {"token": TOKEN, "request": OPENED}, key="operator",
            ),
        ):  # fmt: skip
            said = answer.json()
            assert (answer.status_code, said["code"]) == (401, "resume_refused"), said
            assert said["field"]
            assert said["remedy"]
        late_ms = wall_ms() - 126_000
        await noted(plane, one, "paused", session, at_ms=late_ms)
        assert (await resumed(plane, session)).json()["code"] == "resume_refused"
        assert two.asked == []
        assert plane.plane.going_on.outcomes["resume_refused"] == 5

    with_plane(tmp_path, go)


def test_no_room_is_told_with_its_decision_and_nobody_stands_in_line(tmp_path: Path) -> None:
    async def go(plane: Running) -> None:
        one = await plane.node("eu-central", "c-1", models=("m",))
        session = await begun(plane, one)
        await plane.node("eu-central", "c-2", seats=0, models=("m",))
        await plane.node("us-east", "e-1", models=("m",))
        answer = await resumed(plane, session, without=["c-1"])
        said = answer.json()
        assert (answer.status_code, said["code"], said["retryable"]) == (503, "no_room", True)
        why = (await plane("GET", f"/v1/decisions/{said['decision']}", key="operator")).json()
        assert {one["node"]: one["reason"] for one in why["losers"]} == {
            "c-1": "excluded", "c-2": "full", "e-1": "not_allowed",
        }  # fmt: skip

    with_plane(tmp_path, go)


def test_the_node_that_had_it_is_told_until_it_knows(tmp_path: Path) -> None:
    async def go(plane: Running) -> None:
        one = await plane.node("eu-central", "c-1", models=("m",))
        session = await begun(plane, one)
        two = await plane.node("eu-central", "c-2", models=("m",))
        one.deaf_to.add("give_up")
        await noted(plane, two, "resumed", session, recovery_number=2, from_sample=16_000)
        giving_up = plane.plane.giving_up
        await plane.until(lambda: giving_up.answers["silent"] and len(giving_up) == 1)
        one.deaf_to.clear()
        await plane.until(lambda: len(giving_up) == 0)
        told = [told for told in one.commands if told.do == "give_up"]
        assert {(one.session, one.through_sample, one.number) for one in told} == {
            (session, 16_000, 2)
        }
        assert [told for told in two.commands if told.do == "give_up"] == []

    with_plane(tmp_path, go)
