import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from edge_node.centre.in_line import LOST_S, TELL_S, InTheirLine
from heliovox.protocol.control import InLine
from shared.errors import BusFailed, CentreUnreachable
from shared.exchange import NodeWait, PlaceAnswer
from tests.support.virtual_time import run_virtually
from tests.unit.control_plane.waiting.test_hall import LoopClock

FIRST = InLine("w-1", 60.0, 3)
SEAT = PlaceAnswer(True, session="s-1", node="n-2")


class Plane:
    """A control plane that answers as it is told."""

    def __init__(self, *answers: PlaceAnswer | BusFailed) -> None:
        self.answers, self.asked = list(answers), list[NodeWait]()
        self.left: list[tuple[str, str]] = []
        self.takes_s = 2.0

    async def still(self, plane: str, wait: NodeWait) -> PlaceAnswer:
        assert plane == "p-1"
        self.asked.append(wait)
        await asyncio.sleep(self.takes_s)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BusFailed):
            raise answer
        return answer

    def leave(self, plane: str, waiting: str) -> None:
        self.left.append((plane, waiting))


def stands(position: int, version: int) -> PlaceAnswer:
    return PlaceAnswer(False, in_line=InLine("w-1", 50.0, position, version=version), plane="p-1")


def waiting(plane: Plane, told: list[InLine]) -> Any:
    return InTheirLine(plane, "p-1", FIRST, told.append, LoopClock()).end()


def seen(plane: Plane, check: Callable[[list[InLine]], None] | None = None) -> PlaceAnswer:
    told: list[InLine] = []

    async def go() -> PlaceAnswer:
        answer: PlaceAnswer = await waiting(plane, told)
        return answer

    answer = run_virtually(go())
    if check is not None:
        check(told)
    return answer


def test_changes_are_told_and_the_seat_ends_it() -> None:
    plane = Plane(stands(3, 1), stands(2, 2), SEAT)

    def check(told: list[InLine]) -> None:
        assert [line.position for line in told] == [3, 2]

    assert seen(plane, check) == SEAT
    assert [wait.after for wait in plane.asked] == [1, 1, 2]
    assert plane.left == []


def test_nothing_new_is_told_now_and_then_as_a_sign_of_life() -> None:
    plane = Plane(*[stands(3, 1)] * 10, SEAT)

    def check(told: list[InLine]) -> None:
        assert len(told) == 1 + int(20 / TELL_S)

    seen(plane, check)


def test_the_refusal_is_the_answer() -> None:
    no = PlaceAnswer(False, code="no_room", message="full", retryable=True)
    assert seen(Plane(stands(1, 1), no)) == no


def test_an_outage_is_outlasted() -> None:
    plane = Plane(BusFailed("away"), BusFailed("away"), stands(1, 2), SEAT)
    plane.takes_s = 0.1
    assert seen(plane) == SEAT


def test_a_control_plane_that_is_gone_is_a_typed_end() -> None:
    plane = Plane(BusFailed("nobody"))
    plane.takes_s = 0.0

    async def go() -> None:
        with pytest.raises(CentreUnreachable, match="place in line is lost"):
            await waiting(plane, [])
        assert LOST_S <= asyncio.get_running_loop().time() < LOST_S + 3

    run_virtually(go())


def test_one_that_was_started_again_says_that_nobody_waits() -> None:
    with pytest.raises(CentreUnreachable, match="started again"):
        seen(Plane(PlaceAnswer(False, code="not_found")))


def test_who_goes_gives_his_place_up() -> None:
    async def go() -> None:
        plane = Plane(stands(3, 1))
        task = asyncio.get_running_loop().create_task(waiting(plane, []))
        await asyncio.sleep(3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert plane.left == [("p-1", "w-1")]

    run_virtually(go())
