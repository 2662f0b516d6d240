"""A policy that calls back, with a real control plane and the SDK."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from heliovox.client.control import ControlPlane
from heliovox.client.errors import Refused
from heliovox.protocol.control import SessionRequest
from heliovox.protocol.messages import Place
from tests.support.running_centre import PARIS, ROOT, Centre, until

pytestmark = [pytest.mark.process, pytest.mark.anyio]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_whoever_is_called_back_has_a_seat_and_the_end_of_the_centre_refuses_the_rest(
    tmp_path: Path,
) -> None:
    text = (ROOT / "shared/regions/regions.yaml").read_text()
    (tmp_path / "regions.yaml").write_text(
        text.replace("when_full: refuse", "when_full: call_back")
    )
    centre = Centre(tmp_path)
    try:
        await centre.start()
        plane = await centre.plane(regions_file=str(tmp_path / "regions.yaml"))
        node = await centre.node("eu-central", "c-1", seats=1)

        async def seen() -> bool:
            return await plane.nodes() == {"c-1": "ready"}

        await until(seen)
        assert (await plane.place()).status_code == 201
        told: asyncio.Queue[int] = asyncio.Queue()
        sdk = ControlPlane(plane.url, plane.key(), proxy=None)
        request = SessionRequest(policy=str(PARIS["policy"]), place=Place(48.85, 2.35))
        waiting = centre.tasks.begin(
            _placed(sdk, request, told, node.held), "a caller who is called back"
        )
        assert await asyncio.wait_for(told.get(), 10) == 1
        node.held.clear()
        await node.report()
        await asyncio.wait_for(waiting, 20)
        assert len(node.held) == 1
        line = (await plane.place()).json()
        looking = asyncio.gather(
            plane.ask("GET", f"/v1/waiting/{line['waiting']}?wait_s=30"), return_exceptions=True
        )
        await asyncio.sleep(0.2)
        assert await plane.stop() == 0
        (refused,) = await looking
        assert not isinstance(refused, BaseException)
        assert (refused.status_code, refused.json()["code"]) == (503, "no_room")
        assert plane.complaints() == []
    finally:
        await centre.stop()


async def _placed(
    sdk: ControlPlane, request: SessionRequest, told: asyncio.Queue[int], held: Mapping[str, object]
) -> None:
    try:
        placed = await sdk.place(request, lambda line: told.put_nowait(line.position))
    except Refused as refused:
        raise AssertionError("no seat") from refused
    assert placed.session in held
