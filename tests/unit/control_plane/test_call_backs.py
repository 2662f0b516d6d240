"""Orders that stay in line while their caller comes and goes."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_node import FakeNode
from tests.unit.control_plane.test_plane import PARIS, Running, running


def called_back(folder: Path) -> Path:
    """The world that ships, its policies calling back."""
    text = Path("shared/regions/regions.yaml").read_text()
    assert "when_full: refuse" in text
    world = folder / "regions.yaml"
    world.write_text(text.replace("when_full: refuse", "when_full: call_back"))
    return world


class Hall:
    """A plane with one node of one seat, which is taken."""

    def __init__(self, plane: Running, node: FakeNode, policy: str) -> None:
        self.plane, self.node, self.body = plane, node, PARIS | {"policy": policy}
        self.first = ""

    async def ask(self, key: str = "caller") -> dict[str, Any]:
        answer = await self.plane("POST", "/v1/sessions", self.body, key=key)
        assert answer.status_code == 202, answer.text
        said: dict[str, Any] = answer.json()
        assert answer.headers["Location"] == f"/v1/waiting/{said['waiting']}"
        return said

    async def look(self, waiting: str, wait_s: float = 0.0, key: str = "caller") -> Any:
        return await self.plane("GET", f"/v1/waiting/{waiting}?wait_s={wait_s}", key=key)

    async def free(self) -> None:
        """The seat is free again."""
        self.node.held.clear()
        await self.node.report()


def with_hall(tmp_path: Path, test: Any, **settings: Any) -> None:
    async def go() -> None:
        world = called_back(tmp_path)
        async with running(tmp_path, regions_file=world, **settings) as plane:
            node = await plane.node("eu-central", "c-1", seats=1)
            policy = next(
                name
                for name, one in plane.plane.regions.now.policies.by_name.items()
                if one.when_full == "call_back" and "eu-central" in one.allowed
            )
            hall = Hall(plane, node, policy)
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
