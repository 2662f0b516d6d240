"""A node that follows a script, and complains when the client does not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from heliovox.client import Client, Limits
from heliovox.protocol import messages as m
from heliovox.protocol.audio import AudioFormat
from heliovox.protocol.codec import decode_client, encode

T = TypeVar("T")
LIMIT_S = 10.0
DEFAULT = Limits()
STARTED = m.Started(
    session="s-1",
    node="n-1",
    version=1,
    kind="conversation",
    language="en",
    model="ear",
    voice="mouth",
    audio=AudioFormat(),
    output=AudioFormat(),
    chunk_ms=320,
    lookahead_ms=230,
)


class Stage:
    """The node's side of one conversation."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection

    async def hears(self, kind: type[T]) -> T:
        heard = await self.anything()
        message = heard if isinstance(heard, bytes) else decode_client(heard)
        assert isinstance(message, kind), f"{message!r} where {kind.__name__} was due"
        return message

    async def anything(self) -> str | bytes:
        async with asyncio.timeout(LIMIT_S):
            return await self.connection.recv()

    async def says(self, *messages: m.ServerMessage | bytes | str) -> None:
        for message in messages:
            if isinstance(message, bytes | str):
                await self.connection.send(message)
            else:
                await self.connection.send(encode(message), text=True)

    async def opens(self) -> m.Start:
        start = await self.hears(m.Start)
        await self.says(STARTED)
        return start

    async def ends(self, code: int = 1000, reason: str = "finish") -> None:
        await self.says(m.Ended("s-1", reason, 0, 0))
        await self.connection.close(code)


Script = Callable[[Stage], Awaitable[None]]


def final(seq: int, text: str = "one") -> m.Final:
    return m.Final(seq, (seq - 1) * 160, seq * 160, text, (), "endpoint")


@asynccontextmanager
async def staged_at(script: Script) -> AsyncIterator[str]:
    """The address of a node that plays `script` once; what the script asserts fails the test."""
    problems: list[BaseException] = []
    done = asyncio.Event()

    async def play(connection: ServerConnection) -> None:
        try:
            await script(Stage(connection))
        except Exception as problem:  # noqa: BLE001 told to the test below
            problems.append(problem)
        finally:
            done.set()

    async with serve(
        play, "127.0.0.1", 0, compression=None, close_timeout=0.5, select_subprotocol=first
    ) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with asyncio.timeout(LIMIT_S):
            await done.wait()
    if problems:
        raise problems[0]


def first(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return offered[0] if offered else None


@asynccontextmanager
async def staged(script: Script, limits: Limits = DEFAULT) -> AsyncIterator[Client]:
    """A client of a node that plays `script` once."""
    async with staged_at(script) as url:
        yield Client(url, "secret", proxy=None, limits=limits)
