"""Orders that stay in line while their caller comes and goes."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.clock import wall_s
from tests.support.fake_node import FakeNode
from tests.unit.control_plane.test_plane import PARIS, Running, running


def called_back(folder: Path, when_full: str = "call_back") -> Path:
    """The world that ships, its policy for Europe calling back."""
    text = Path("shared/regions/regions.yaml").read_text()
    assert "when_full: refuse" in text
    world = folder / "regions.yaml"
    world.write_text(text.replace("when_full: refuse", f"when_full: {when_full}", 1))
    return world


class Hall:
    """A plane with one node of one seat, which is taken."""

    def __init__(self, plane: Running, node: FakeNode, policy: str) -> None:
        self.plane, self.node, self.body = plane, node, PARIS | {"policy": policy}
        self.first = ""

    async def ask(self, key: str = "caller", **headers: str) -> dict[str, Any]:
        answer = await self.plane("POST", "/v1/sessions", self.body, key=key, headers=headers)
        assert answer.status_code == 202, answer.text
        said: dict[str, Any] = answer.json()
        assert answer.headers["Location"] == f"/v1/waiting/{said['waiting']}"
        return said

    async def look(
        self, waiting: str, wait_s: float = 0.0, key: str = "caller", more: str = ""
    ) -> Any:
        path = f"/v1/waiting/{waiting}?wait_s={wait_s}{more}"
        return await self.plane("GET", path, key=key)

    async def free(self) -> None:
        """The seat is free again."""
        self.node.held.clear()
        await self.node.report()


def with_hall(tmp_path: Path, test: Any, when_full: str = "call_back", **settings: Any) -> None:
    async def go() -> None:
        world = called_back(tmp_path, when_full)
        async with running(tmp_path, regions_file=world, **settings) as plane:
            node = await plane.node("eu-central", "c-1", seats=1)
            hall = Hall(plane, node, "eu-only")
            answer = await plane("POST", "/v1/sessions", hall.body)
            assert answer.status_code == 201, answer.text
            hall.first = answer.json()["session"]
            await test(hall)

    asyncio.run(go())


def test_a_seat_is_held_from_the_moment_it_is_got_for_whoever_comes_back(tmp_path: Path) -> None:
    async def go(hall: Hall) -> None:
        said = await hall.ask()
        assert (said["position"], 0 < said["expires_s"] <= 10) == (1, True)
        still = await hall.look(said["waiting"])
        assert (still.status_code, still.json()["waiting"]) == (202, said["waiting"])
        assert len(hall.node.held) == 1
        looking = asyncio.get_running_loop().create_task(hall.look(said["waiting"], 10))
        await hall.free()
        placed = await looking
        assert placed.status_code == 200
        assert list(hall.node.held) == [placed.json()["session"]]
        again = (await hall.look(said["waiting"])).json()
        assert again["ticket"] == placed.json()["ticket"]
        assert again["expires_s"] <= placed.json()["expires_s"] <= 30

    with_hall(tmp_path, go)


def test_seats_go_to_those_who_called_first_and_each_knows_his_place(tmp_path: Path) -> None:
    async def go(hall: Hall) -> None:
        first, second = await hall.ask(), await hall.ask()
        assert [first["position"], second["position"]] == [1, 2]
        await hall.free()
        assert (await hall.look(first["waiting"], 10)).status_code == 200
        moved = await hall.look(second["waiting"])
        assert (moved.status_code, moved.json()["position"]) == (202, 1)

    with_hall(tmp_path, go)


def test_the_end_without_a_seat_is_a_typed_refusal(tmp_path: Path) -> None:
    async def go(hall: Hall) -> None:
        said = await hall.ask()
        refused = await hall.look(said["waiting"], said["expires_s"] + 5)
        assert (refused.status_code, refused.json()["code"]) == (503, "no_room")
        assert refused.json()["decision"]
        assert (await hall.look(said["waiting"])).status_code == 503

    with_hall(tmp_path, go)


def test_others_do_not_see_who_waits(tmp_path: Path) -> None:
    async def go(hall: Hall) -> None:
        said = await hall.ask()
        assert (await hall.look(said["waiting"], key="operator")).status_code == 404
        path = f"/v1/waiting/{said['waiting']}"
        assert (await hall.plane("DELETE", path, key="operator")).status_code == 404
        assert (await hall.look("0" * 16)).status_code == 404
        assert (await hall.look(said["waiting"])).status_code == 202

    with_hall(tmp_path, go)


def test_whoever_leaves_takes_no_seat_and_gives_back_what_he_has(tmp_path: Path) -> None:
    async def go(hall: Hall) -> None:
        first, second, third = [await hall.ask() for _ in range(3)]
        path = "/v1/waiting/"
        assert (await hall.plane("DELETE", path + first["waiting"])).status_code == 204
        assert (await hall.look(first["waiting"])).status_code == 404
        await hall.free()
        held = (await hall.look(second["waiting"], 10)).json()
        assert list(hall.node.held) == [held["session"]]
        assert (await hall.plane("DELETE", path + second["waiting"])).status_code == 204
        await hall.node.report()
        seated = (await hall.look(third["waiting"], 10)).json()
        assert list(hall.node.held) == [seated["session"]]

    with_hall(tmp_path, go)


def test_a_seat_that_nobody_came_back_for_is_over_with_its_ticket(tmp_path: Path) -> None:
    async def go(hall: Hall) -> None:
        said = await hall.ask()
        await hall.free()
        assert (await hall.look(said["waiting"], 10)).status_code == 200

        async def over() -> bool:
            return bool((await hall.look(said["waiting"])).status_code == 404)

        await hall.plane.until_it(over)
        assert len(hall.plane.plane.call_backs) == 0

    with_hall(tmp_path, go, ticket_ttl_s=0.3)


def test_the_end_of_the_control_plane_refuses_all(tmp_path: Path) -> None:
    async def go(hall: Hall) -> None:
        said = await hall.ask()
        looking = asyncio.get_running_loop().create_task(hall.look(said["waiting"], 30))
        await asyncio.sleep(0.05)
        hall.plane.plane.waiting.stop()
        refused = await looking
        assert (refused.status_code, refused.json()["code"]) == (503, "no_room")

    with_hall(tmp_path, go)


@pytest.mark.parametrize("wait_s", ["-1", "31", "x"])
def test_a_look_has_its_bounds(tmp_path: Path, wait_s: str) -> None:
    async def go(hall: Hall) -> None:
        said = await hall.ask()
        answer = await hall.plane("GET", f"/v1/waiting/{said['waiting']}?wait_s={wait_s}")
        assert answer.status_code == 400

    with_hall(tmp_path, go)


def test_tenants_take_turns_and_a_new_version_says_so(tmp_path: Path) -> None:
    async def go(hall: Hall) -> None:
        first, second = await hall.ask(), await hall.ask()
        news = asyncio.get_running_loop().create_task(
            hall.look(second["waiting"], 10, more=f"&after={second['version']}")
        )
        theirs = await hall.ask("operator")
        assert [first["position"], second["position"], theirs["position"]] == [1, 2, 2]
        moved = (await news).json()
        assert (moved["position"], moved["version"]) == (3, second["version"] + 1)
        again = await hall.look(second["waiting"], 0, more="&after=99")
        assert again.status_code == 202

    with_hall(tmp_path, go)


def test_a_policy_that_waits_puts_in_line_whoever_prefers_that(tmp_path: Path) -> None:
    async def go(hall: Hall) -> None:
        said = await hall.ask(prefer="wait=10, Respond-Async; x=1")
        assert said["position"] == 1
        call_backs = hall.plane.plane.call_backs
        call_backs.each_second()
        assert (await hall.look(said["waiting"])).status_code == 202
        for order in call_backs._orders.values():
            order.seen_s -= 61.0
        call_backs.each_second()
        await hall.plane.until(lambda: not len(hall.plane.plane.waiting))
        assert (await hall.look(said["waiting"])).status_code == 404

    with_hall(tmp_path, go, "wait")


def test_who_does_not_wait_passes_nobody(tmp_path: Path) -> None:
    """He is refused though there is a seat: it is for those in line."""

    async def go(hall: Hall) -> None:
        said = await hall.ask()
        hall.node.held.clear()
        await hall.node.report()
        await hall.plane.until(lambda: bool(hall.plane.plane.fleet.view(0.0).fits.any()))
        refused = await hall.plane("POST", "/v1/sessions", hall.body | {"policy": "anywhere"})
        assert (refused.status_code, refused.json()["code"]) == (503, "no_room")
        assert (await hall.look(said["waiting"], 10)).status_code == 200

    with_hall(tmp_path, go)


def test_an_estimate_comes_from_sessions_that_run_and_ended(tmp_path: Path) -> None:
    async def go(hall: Hall) -> None:
        plane = hall.plane.plane
        for number in range(40):
            plane.lengths.began(f"s{number}", "recognition", "t", "eu-central", wall_s() - 100)
            plane.lengths.ended(f"s{number}", wall_s() - 99 + number, wall_s())
        assert (await hall.ask())["estimate"] is None  # nobody runs whose end could be waited for
        plane.lengths.began("live", "recognition", "t", "eu-central", wall_s() - 10)
        await asyncio.sleep(0)
        plane.forecasts._outlooks.clear()
        said = await hall.ask()
        estimate = said["estimate"]
        assert 0 <= estimate["low_s"] < estimate["high_s"]
        assert estimate["confidence"] == 0.8
        assert 0 <= estimate["chance"] <= 1
        basis = estimate["based_on"]
        assert (basis["source"], basis["sessions"], basis["running"]) == ("kind", 40, 1)

    with_hall(tmp_path, go)


def test_the_line_is_told_as_events_up_to_the_seat(tmp_path: Path) -> None:
    async def go(hall: Hall) -> None:
        said = await hall.ask()
        path = f"/v1/waiting/{said['waiting']}/events"
        following = asyncio.get_running_loop().create_task(hall.plane("GET", path))
        await asyncio.sleep(0.1)
        await hall.free()
        told = (await following).text
        events = re.findall(r"event: (\w+)\r?\ndata: (.*)", told)
        assert [name for name, _ in events][:1] == ["in_line"]
        assert events[-1][0] == "placed"
        assert json.loads(events[-1][1])["node"] == "c-1"
        assert (await hall.plane("GET", "/v1/waiting/none/events")).status_code == 404
        assert (await hall.plane("GET", path, key="operator")).status_code == 404

    with_hall(tmp_path, go)


def test_a_refusal_is_the_last_event(tmp_path: Path) -> None:
    async def go(hall: Hall) -> None:
        said = await hall.ask()
        path = f"/v1/waiting/{said['waiting']}/events"
        following = asyncio.get_running_loop().create_task(hall.plane("GET", path))
        await asyncio.sleep(0.1)
        hall.plane.plane.waiting.stop()
        told = re.findall(r"event: (\w+)\r?\ndata: (.*)", (await following).text)
        assert told[-1][0] == "error"
        assert json.loads(told[-1][1])["code"] == "no_room"

    with_hall(tmp_path, go)
