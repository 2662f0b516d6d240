"""Rules that grow old, and rules that change between a promise and its redemption."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge_node.centre.bundles import Bundles
from edge_node.ledger.evidence import Evidence
from tests.support.fleet import (
    LIMIT_S,
    WORLD,
    FakeCentre,
    FleetNode,
    fleet_node,
    memory_centre,
    opened,
    spoken_words,
)

pytestmark = pytest.mark.anyio
GOES_ON = WORLD.replace(
    "eu-only: {", "eu-only: {after_expiry_s: 3600, "
) + "rules:\n  health: {when: {data: [health]}, restricted: true}\n"  # fmt: skip
FORBIDDEN = WORLD + "rules:\n  gone: {when: {policies: [eu-only]}, forbid: [german]}\n"
FORBIDDEN = FORBIDDEN.replace("zones:\n", "zones:\n  german: [de]\n")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def bundles_of(node: FleetNode) -> Bundles:
    assert node.node.member is not None
    return node.node.member.bundles


def later(node: FleetNode, seconds: float) -> None:
    """Sets the node's clock."""
    bundles = bundles_of(node)
    real = bundles._wall_s
    bundles._wall_s = lambda: real() + seconds


async def checks(node: FleetNode) -> dict[str, str]:
    async with httpx.AsyncClient(trust_env=False) as http:
        failing: dict[str, str] = (await http.get(f"{node.url}/readyz")).json()["checks"]
    return failing


async def reading(node: FleetNode, name: str) -> float:
    async with httpx.AsyncClient(trust_env=False) as http:
        text = (await http.get(f"{node.url}/metrics")).text
    [line] = [line for line in text.splitlines() if line.startswith(f"heliovox_edge_{name} ")]
    return float(line.split()[1])


async def taken_over(node: FleetNode, centre: FakeCentre, world: str) -> None:
    """The node has the new world."""
    centre.world, before = world, bundles_of(node).taken_over
    await centre.news()
    await until(lambda: bundles_of(node).taken_over > before)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not holds():  # noqa: ASYNC110 another task changes it
            await asyncio.sleep(0.005)


async def answer(node: FleetNode, **start: str) -> tuple[str, str | None]:
    async with node.call(key="k") as call:
        said = await opened(call, **start)
        return said["type"], said.get("code")


async def test_expired_rules_let_in_whom_their_policy_lets(tmp_path: Path) -> None:
    """Those alone, for as long as it says; the others hear since when, and what to do."""
    async with memory_centre(k=("*",)) as centre:
        centre.world = GOES_ON
        async with fleet_node(centre, tmp_path) as node:
            assert 86_000 < await reading(node, "bundle_left_seconds") < 86_340
            centre.silent = True
            later(node, centre.life_s)
            assert await answer(node, policy="eu-only") == ("started", None)
            for refused in ({}, {"policy": "eu-only", "data": "health"}):
                assert await answer(node, **refused) == ("error", "rules_expired")
            assert "expired" in (await checks(node))["bundle"]
            assert -70 < await reading(node, "bundle_left_seconds") < -59
            assert await reading(node, "bundle_valid") == 0
            later(node, 3600.0)
            with pytest.raises(Exception, match="503"):
                await answer(node, policy="eu-only")


async def test_a_node_that_starts_by_expired_rules_lets_in_whom_it_let_in_before(
    tmp_path: Path,
) -> None:
    async with memory_centre(k=("*",)) as centre:
        centre.world, centre.life_s = GOES_ON, 62.5
        async with fleet_node(centre, tmp_path) as node:
            assert await answer(node) == ("started", None)
            centre.silent = True
            await until(lambda: bundles_of(node).rules is None)
        async with fleet_node(centre, tmp_path) as node:
            assert await answer(node, policy="eu-only") == ("started", None)
            assert await answer(node) == ("error", "rules_expired")


async def test_a_promise_is_judged_by_the_rules_of_the_day_it_is_redeemed(tmp_path: Path) -> None:
    async with memory_centre() as centre, fleet_node(centre, tmp_path) as node:
        ask, _ = await centre.reserve(node)
        kept, _ = await centre.reserve(node, policy="default")
        await taken_over(node, centre, FORBIDDEN)
        async with node.call(ticket=centre.ticket(node, ask)) as call:
            said = await opened(call)
            assert (said["code"], "gone.forbid" in said["message"]) == ("not_allowed", True)
        async with node.call(ticket=centre.ticket(node, kept)) as call:
            assert (await opened(call))["type"] == "started"
            note = await centre.note("started")
            rules = bundles_of(node).rules
            assert rules is not None
            assert note.policy_version == rules.policies.version
            assert await spoken_words(call, "hello   ") == ["hello"]
        report = await centre.report(lambda report: report.held == 0)
        assert report.reserved == 0


async def test_a_promise_is_not_redeemed_by_rules_past_their_date(tmp_path: Path) -> None:
    async with memory_centre() as centre, fleet_node(centre, tmp_path) as node:
        ask, _ = await centre.reserve(node)
        centre.silent = True
        later(node, centre.life_s)
        async with node.call(ticket=centre.ticket(node, ask)) as call:
            assert (await opened(call))["code"] == "rules_expired"
        _, refused = await centre.reserve(node)
        assert (refused.granted, refused.code) == (False, "rules_expired")
        await centre.report(lambda report: (report.held, report.reserved) == (0, 0))


async def test_nobody_is_passed_on_by_a_node_that_may_not_hear_him_any_more(tmp_path: Path) -> None:
    """The rules change while the centre looks for a seat."""
    async with (
        memory_centre(k=("*",)) as centre,
        fleet_node(centre, tmp_path / "1") as node,
        fleet_node(centre, tmp_path / "2", node_id="n-2", region="eu-west") as other,
    ):
        promised, _ = await centre.reserve(other)
        centre.answer = lambda _: centre.placed(other, promised, relay=True)
        centre.may_answer.clear()
        async with node.call(key="k") as call:
            place = {"lat": 53.35, "lon": -6.26}
            opening = asyncio.ensure_future(opened(call, policy="eu-only", place=place))  # noqa: TID251
            await centre.asked.wait()
            await taken_over(node, centre, FORBIDDEN)
            centre.may_answer.set()
            assert (await opening)["code"] == "not_allowed"
        assert await centre.given_back.get() == promised.session


async def test_rules_that_change_while_a_seat_is_put_down_decide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record is on the disk before anybody is heard: that takes time, and rules may change."""
    async with memory_centre(k=("*",)) as centre, fleet_node(centre, tmp_path) as node:
        real, there, go_on = Evidence.settled, asyncio.Event(), asyncio.Event()

        async def slowly(*given: Any) -> Any:
            found = await real(*given)
            there.set()
            await go_on.wait()
            return found

        monkeypatch.setattr(Evidence, "settled", slowly)
        async with node.call(key="k") as call:
            opening = asyncio.ensure_future(opened(call, policy="eu-only"))  # noqa: TID251
            await there.wait()
            await taken_over(node, centre, FORBIDDEN)
            go_on.set()
            assert (await opening)["code"] == "not_allowed"
        await centre.report(lambda report: (report.held, report.reserved) == (0, 0))
