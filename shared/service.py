"""Services: ready in order, stopped in reverse; one failure stops all."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

START_LIMIT_S = 120.0
"""For one service to be ready: a large model from a slow disk takes most of it."""
STOP_LIMIT_S = 30.0
"""For one service to end after it was told to; then it is told again."""
CANCELLATIONS = 3
"""How often: what a service calls may lose one, as asyncio.wait_for does before Python 3.12."""


class Service(Protocol):
    """A coroutine that says when it is ready, and ends when it is cancelled."""

    async def run(self, ready: asyncio.Event) -> None:
        """Sets `ready` once others may rely on it; cleans up when cancelled."""
        ...


class ServiceEnded(RuntimeError):
    """A service ended by itself, which none of them should."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} ended by itself")
        self.name = name


class NotReady(TimeoutError):
    """A service was not ready in time."""

    def __init__(self, name: str, limit_s: float) -> None:
        super().__init__(f"{name} was not ready within {limit_s:g} s")
        self.name, self.limit_s = name, limit_s


async def run_all(
    services: Sequence[Service],
    stop: asyncio.Event,
    *,
    start_limit_s: float = START_LIMIT_S,
    stop_limit_s: float = STOP_LIMIT_S,
) -> None:
    """Starts in order, each ready before the next; stops in reverse. One failure stops all.

    Args:
        services: each may rely on those before it.
        stop: ends them all when set.
        start_limit_s: for each to become ready.
        stop_limit_s: for each to end.

    Raises:
        ExceptionGroup: of what services raised, ServiceEnded and NotReady among it.
    """
    async with asyncio.TaskGroup() as group:
        tasks: list[asyncio.Task[None]] = []
        for service in services:
            ready = asyncio.Event()
            tasks.append(group.create_task(_run(service, ready), name=type(service).__name__))
            if not await _is_ready(ready, stop, tasks[-1].get_name(), start_limit_s):
                break
        await stop.wait()
        for task in reversed(tasks):
            for _ in range(CANCELLATIONS):
                task.cancel()
                await asyncio.wait([task], timeout=stop_limit_s)
                if task.done():
                    break


async def _run(service: Service, ready: asyncio.Event) -> None:
    """A failure or an end cancels the group, and with it whoever waits in `run_all`."""
    await service.run(ready)
    raise ServiceEnded(type(service).__name__)


async def _is_ready(ready: asyncio.Event, stop: asyncio.Event, name: str, limit_s: float) -> bool:
    """Whether `ready` came before `stop`."""
    waiting = [asyncio.ensure_future(event.wait()) for event in (ready, stop)]  # noqa: TID251
    try:
        done, _ = await asyncio.wait(waiting, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for waiter in waiting:
            waiter.cancel()
    if not done:
        raise NotReady(name, limit_s)
    return ready.is_set() and not stop.is_set()
