"""Thousands of callers who all come at one moment, and what became of every one of them."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.support.fleet import opened
from tests.support.real_nodes import RealNode, real_node
from tests.support.running_centre import PARIS, Centre, Plane, until
from tests.support.slow_link import slow_link

PATIENCE_S = 90.0
"""Of one caller. Whoever hears nothing by then was dropped in silence."""
AT_ONCE = 64
"""Tickets that are redeemed at one time."""


@dataclass
class World:
    """What the callers meet."""

    centre: Centre
    planes: list[Plane]
    nodes: list[RealNode]

    async def reserved(self) -> tuple[int, int]:
        """Sessions and promised seats of all nodes, as the last plane sees them."""
        seen = (await self.planes[-1].ask("GET", "/v1/nodes")).json()
        return sum(one["held"] for one in seen), sum(one["reserved"] for one in seen)


@asynccontextmanager
async def far_world(
    folder: Path, seats: dict[tuple[str, str], int], *, link_s: float = 0.0, **settings: Any
) -> AsyncIterator[World]:
    """Two control planes on one bus, and real nodes behind links of `link_s` each way.

    Args:
        seats: of each node, by region and name.
        settings: of both control planes.
    """
    async with AsyncExitStack() as stack:

        async def reach(port: int) -> int:
            return (await stack.enter_async_context(slow_link(port, link_s))).here

        centre = Centre(folder)
        stack.push_async_callback(centre.stop)
        await centre.start_far(reach)
        planes = [await centre.plane(name, **settings) for name in ("p-1", "p-2")]
        nodes = [
            await stack.enter_async_context(real_node(centre, region, name, count))
            for (region, name), count in seats.items()
        ]
        world = World(centre, planes, nodes)
        for plane in planes:

            async def seen(plane: Plane = plane) -> bool:
                states = await plane.nodes()
                return {node.name for node in nodes} <= {
                    name for name, state in states.items() if state == "ready"
                }

            await until(seen, 60.0)
        yield world


@dataclass
class Answers:
    """Every caller's end."""

    placed: list[dict[str, Any]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    """By code."""
    closed: int = 0
    """Connections that ended without an answer."""
    silent: int = 0
    """Callers who never heard anything."""
    other: list[str] = field(default_factory=list)
    """What is none of these."""

    @property
    def count(self) -> int:
        """Callers."""
        said = len(self.placed) + self.refused.total() + len(self.other)
        return said + self.closed + self.silent

    @property
    def sessions(self) -> set[str]:
        """That were promised."""
        return {one["session"] for one in self.placed}


def request(plane: Plane, number: int | None = None, **more: Any) -> bytes:
    """One that is known if it comes again, where it has a number."""
    body = json.dumps(PARIS | more).encode()
    again = "" if number is None else f"Idempotency-Key: caller-{number}\r\n"
    head = (
        f"POST /v1/sessions HTTP/1.1\r\nHost: c\r\nAuthorization: Bearer {plane.key()}\r\n"
        f"Content-Type: application/json\r\nConnection: close\r\n{again}"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def call(plane: Plane, data: bytes, answers: Answers) -> None:
    """One caller: a connection of his own, one request, and patience."""
    at = urlsplit(plane.url)
    try:
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection(at.hostname, at.port)
            try:
                writer.write(data)
                said = await reader.read()
            finally:
                writer.close()
    except TimeoutError:
        answers.silent += 1
    except OSError:
        answers.closed += 1
    else:
        _take(said, answers)


async def hang_up(plane: Plane, data: bytes) -> None:
    """A caller who asks, and is gone before the answer."""
    at = urlsplit(plane.url)
    _, writer = await asyncio.open_connection(at.hostname, at.port)
    writer.write(data)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


def _take(said: bytes, answers: Answers) -> None:
    head, blank, body = said.partition(b"\r\n\r\n")
    if not blank:
        answers.closed += 1
        return
    status = int(head[9:12])
    found = json.loads(body)
    if status == 201:
        answers.placed.append(found)
    elif found.get("code") and "retryable" in found:
        answers.refused[found["code"]] += 1
    else:
        answers.other.append(f"{status} {found}")


async def burst(
    planes: Sequence[Plane], count: int, said: Callable[[Answers], None] = lambda _: None
) -> Answers:
    """`count` callers at one moment, spread evenly over the planes.

    Args:
        said: told after every answer.
    """
    answers = Answers()
    requests = [request(plane) for plane in planes]

    async def one(number: int) -> None:
        at = number % len(planes)
        await call(planes[at], requests[at], answers)
        said(answers)

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(one(number))
    return answers


@asynccontextmanager
async def redeemed(placed: Sequence[dict[str, Any]]) -> AsyncIterator[tuple[int, int]]:
    """Every ticket shown twice: how often it opened a session, and how often the second one did.

    The sessions are open inside the block, all of them at once.
    """
    turn = asyncio.Semaphore(AT_ONCE)
    async with AsyncExitStack() as stack:

        async def show(one: dict[str, Any]) -> bool:
            async with turn:
                line = await stack.enter_async_context(
                    connect(
                        one["url"],
                        additional_headers={"Authorization": f"Ticket {one['ticket']}"},
                        subprotocols=[Subprotocol("heliovox.v1")],
                        compression=None,
                        proxy=None,
                    )
                )
                said = await opened(line)
            return bool(said["type"] == "started" and said["session"] == one["session"])

        first = await asyncio.gather(*(show(one) for one in placed))
        again = await asyncio.gather(*(show(one) for one in placed))
        yield sum(first), sum(again)
