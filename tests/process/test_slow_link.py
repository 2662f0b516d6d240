"""A node behind a link that takes its time: used while it answers, else passed over."""

from pathlib import Path

import pytest

from shared.bus.nats_bus import NatsBus
from tests.support.fake_node import FakeNode
from tests.support.running_centre import Centre, until
from tests.support.slow_link import slow_link

pytestmark = [pytest.mark.process, pytest.mark.anyio]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_slow_link_costs_time_and_no_caller(tmp_path: Path) -> None:
    centre = Centre(tmp_path)
    try:
        await centre.start()
        plane = await centre.plane()
        async with slow_link(centre.leaves["eu-central"].port, delay_s=0.1) as link:
            bus = await NatsBus.connect(
                f"nats://127.0.0.1:{link.here}",
                centre.seed_file("eu-central-c-1"),
                name="c-1",
                inbox_prefix="_INBOX.c-1",
            )
            far = await FakeNode(bus, "eu-central", "c-1").begin()
            far.life = centre.tasks.begin(far.reporting(), "reports of c-1")
            near = await centre.node("eu-west", "w-1")

            async def both_seen() -> bool:
                return await plane.nodes() == {"c-1": "ready", "w-1": "ready"}

            await until(both_seen)
            placed = (await plane.place()).json()
            assert placed["node"] == "c-1"
            assert list(far.held) == [placed["session"]]

            link.delay_s = 0.6  # there and back is beyond what an answer may take
            late = (await plane.place()).json()
            assert late["node"] == "w-1"
            why = await plane.why(late["decision"])
            assert why["attempts"] == ["c-1: silent", "w-1: granted"]

            async def released() -> bool:
                return [told.do for told in far.commands] == ["release"]

            await until(released)
            assert list(far.held) == [placed["session"]]  # not the one that came too late
            assert list(near.held) == [late["session"]]
            await far.end()
            link.delay_s = 0.0
            await bus.close()
        assert await plane.stop() == 0
    finally:
        await centre.stop()
