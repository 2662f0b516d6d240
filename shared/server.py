"""uvicorn as a service: one port for HTTP and WebSockets, started and stopped by its owner."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

BACKLOG = 2048
DATE_S = 1.0
STOP_S = 5
"""How long answers in progress may take once the node stops."""


class _Uvicorn(uvicorn.Server):
    """uvicorn's server, which leaves signals alone and says when it listens."""

    listening: asyncio.Event

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Lets answers in progress end, then returns from `serve`."""
        self.should_exit = True
        self._ending.set()

    async def main_loop(self) -> None:
        """Keeps the Date header, and waits. uvicorn's own wakes ten times as often to do so."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DATE_S):
                    await self._ending.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the service's business."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens."""
        await super().startup(sockets)
        self.listening.set()


class HttpServer:
    """A service: one port.

    Args:
        listener: a listening socket; closed at the end.
        configure: called when everything before this service is ready.
    """

    def __init__(self, listener: socket.socket, configure: Callable[[], uvicorn.Config]) -> None:
        self._listener, self._configure = listener, configure

    async def run(self, ready: asyncio.Event) -> None:
        """Serves until cancelled, then lets answers in progress end."""
        with contextlib.closing(self._listener):
            server = _Uvicorn(self._configure())
            server.listening = ready
            await self._serve(server)

    async def _serve(self, server: _Uvicorn) -> None:
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(server.serve([self._listener]), name="uvicorn")
            try:
                await asyncio.shield(serving)
            except asyncio.CancelledError:
                server.end()
                await asyncio.wait([serving], timeout=2 * STOP_S)
                raise


def plain_config(app: Any, **options: Any) -> uvicorn.Config:
    """Uvicorn's settings as all our services have them.

    Args:
        app: an ASGI application.
        options: of `uvicorn.Config`; they outrank ours.
    """
    ours: dict[str, Any] = {
        "ws": "none",
        "log_config": None,
        "lifespan": "off",
        "proxy_headers": False,
        "server_header": False,
        "backlog": BACKLOG,
        "timeout_graceful_shutdown": STOP_S,
    }
    return uvicorn.Config(app, **(ours | options))


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        OSError: the address is not ours, or the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener
