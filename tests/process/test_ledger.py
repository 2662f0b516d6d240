"""A ledger of real nodes, one of them killed in the middle: what is taken away verifies."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from edge_node.ledger.segments import Segments, read_segment
from tests.support.fleet import FINISH, heard, opened
from tests.support.real_nodes import RealNode, real_node
from tests.support.running_centre import PARIS, ROOT, Centre, Plane, until
from tests.support.talk import spoken

pytestmark = pytest.mark.process
FRANKFURT = {"lat": 50.11, "lon": 8.68}
LIMIT_S = 110.0
HALF = "hello   world   "
QUICK = {"ledger": {"head_every_s": 1}}


def call(node: RealNode) -> connect:
    url = node.url.replace("http", "ws", 1) + "/v1/stream"
    protocol = [Subprotocol("heliovox.v1")]
    return connect(url, subprotocols=protocol, compression=None, proxy=None)


def said_to(connection: ClientConnection, key: str, **more: Any) -> Any:
    fields = {"policy": "eu-only", "place": FRANKFURT, "redirect": False, "key": key}
    return opened(connection, **(fields | more))


def records(centre: Centre, name: str) -> list[dict[str, Any]]:
    """What lies on a node's disk."""
    folder = centre.folder / f"node-{name}" / "state" / "ledger"
    found = [read_segment(one)[1] for one in Segments(folder, 0).segments()]
    return [json.loads(line) for lines in found for line in lines]


async def all_signed(centre: Centre, name: str) -> bool:
    file = centre.folder / f"node-{name}" / "state" / "ledger" / "head.json"
    lines = len(records(centre, name))
    return file.exists() and json.loads(file.read_bytes())["head"]["size"] == lines


async def heliovox(*arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "heliovox.cli", "ledger", *arguments),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "no_proxy": "*"},  # noqa: TID251
        stdout=PIPE,
        stderr=PIPE,
    )
    output, errors = await process.communicate()
    return process.returncode, output.decode() + errors.decode()


async def exported(centre: Centre, plane: Plane, out: Path) -> tuple[int | None, str]:
    folders = [centre.folder / f"node-{name}" / "state" / "ledger" for name in ("c-1", "w-1")]
    return await heliovox(
        *("export", "--out", str(out), "--control", plane.url),
        *("--key-file", str(plane.keys / "operator.key")),
        *(f"--ledger={folder}" for folder in folders),
    )


async def hour(centre: Centre, stack: AsyncExitStack) -> Plane:
    """Every way in there is, a node killed while it listens, and a goodbye."""
    plane = await centre.plane()
    west = await stack.enter_async_context(real_node(centre, "eu-west", "w-1", 4, **QUICK))
    async with real_node(centre, "eu-central", "c-1", 4, **QUICK) as node:
        await until(lambda: ready(plane))
        placed = (await plane.place(**PARIS | {"place": FRANKFURT})).json()
        async with connect(
            placed["url"],
            subprotocols=[Subprotocol("heliovox.v1")],
            additional_headers={"Authorization": f"Ticket {placed['ticket']}"},
            proxy=None,
        ) as connection:
            await opened(connection)
            await finished(connection)
        async with call(west) as connection:
            assert (await said_to(connection, plane.key()))["relayed_by"] == "w-1"
            await finished(connection)
        async with call(node) as connection, call(west) as relayed:
            assert "session" in await said_to(connection, plane.key())
            assert (await said_to(relayed, plane.key()))["relayed_by"] == "w-1"
            await connection.send(spoken(HALF))
            await until(lambda: written(centre, "c-1", "heard"))
            node.tell(signal.SIGKILL)
            await node.process.wait()
    again = await stack.enter_async_context(real_node(centre, "eu-central", "c-1", 4, **QUICK))
    await until(lambda: ready(plane))
    async with call(again) as connection:
        await said_to(connection, plane.key())
        await finished(connection)
    return plane


async def finished(connection: ClientConnection) -> None:
    await connection.send(spoken("hello   "))
    await connection.send(FINISH)
    assert (await heard(connection))[-1]["type"] == "ended"


async def ready(plane: Plane) -> bool:
    """Both nodes take callers, and each knows that the other does."""
    nodes = (await plane.ask("GET", "/v1/nodes")).json()
    bundle = (await plane.ask("GET", "/v1/bundle")).json()
    states = [(one["state"], one["bundle_version"]) for one in nodes]
    whole = set(bundle["in_service"]) == {"eu-central", "eu-west"}
    return whole and states == [("ready", bundle["version"])] * 2


async def written(centre: Centre, name: str, what: str) -> bool:
    """A record of the session that goes on."""
    last = records(centre, name)[-1]
    return bool(last["what"] == what)


async def tampered(bundle: Path) -> None:
    """The relay's record is edited: it names another region's node as the only one who heard."""
    [file] = (bundle / "records").glob("eu-west.*")
    file.write_bytes(file.read_bytes().replace(b'"role":"relay"', b'"role":"speaker"', 1))
    code, said = await heliovox("verify", str(bundle))
    assert code == 1
    assert said.startswith(f"records/{file.name}, node w-1, record "), said


def test_a_node_killed_and_started_again(tmp_path: Path) -> None:
    async def go() -> None:
        centre = await Centre(tmp_path).start()
        try:
            async with asyncio.timeout(LIMIT_S), AsyncExitStack() as stack:
                plane = await hour(centre, stack)
                for name in ("c-1", "w-1"):
                    await until(lambda name=name: all_signed(centre, name))  # type: ignore[misc]
                code, said = await exported(centre, plane, tmp_path / "bundle")
                assert code == 0, said
                key = str(centre.folder / "signing.pub.pem")
                code, said = await heliovox("verify", str(tmp_path / "bundle"), "--centre-key", key)
                assert code == 0, said
                result = json.loads(said.splitlines()[-1])
                assert (result["sessions"], result["lost_with_their_node"]) == (5, 2)
                assert result["uncounted_samples"] >= len(spoken(HALF)) // 2
                await tampered(tmp_path / "bundle")
        finally:
            await centre.stop()

    asyncio.run(go())
