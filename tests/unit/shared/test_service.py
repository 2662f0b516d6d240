"""Services are real tasks; events order them, so nothing here waits for time."""

import asyncio

import pytest

from shared.service import NotReady, ServiceEnded, run_all

pytestmark = pytest.mark.anyio


class Recorder:
    """A service that writes down what happens to it."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name, self.log = name, log
        self.fail = asyncio.Event()
        self.up = asyncio.Event()

    async def run(self, ready: asyncio.Event) -> None:
        self.log.append(f"{self.name} up")
        ready.set()
        self.up.set()
        try:
            await self.fail.wait()
            raise RuntimeError(self.name)
        except asyncio.CancelledError:
            self.log.append(f"{self.name} down")
            raise


class NeverReady:
    async def run(self, ready: asyncio.Event) -> None:
        await asyncio.Event().wait()


class EndsAtOnce:
    async def run(self, ready: asyncio.Event) -> None:
        pass


class Stubborn:
    async def run(self, ready: asyncio.Event) -> None:
        ready.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0.2)


async def test_start_in_order_and_stop_in_reverse() -> None:
    log: list[str] = []
    stop = asyncio.Event()
    first, second = Recorder("first", log), Recorder("second", log)
    async with asyncio.TaskGroup() as group:
        group.create_task(run_all([first, second], stop))
        await second.up.wait()
        stop.set()
    assert log == ["first up", "second up", "second down", "first down"]


async def test_one_failure_stops_all() -> None:
    log: list[str] = []
    first, second = Recorder("first", log), Recorder("second", log)

    async def run_until_failed() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(run_all([first, second], asyncio.Event()))
            await second.up.wait()
            first.fail.set()

    with pytest.raises(ExceptionGroup) as failed:
        await run_until_failed()
    assert failed.group_contains(RuntimeError, match="first")
    assert log[-1] == "second down"


async def test_a_failure_before_it_is_ready_stops_all() -> None:
    log: list[str] = []
    with pytest.raises(ExceptionGroup) as failed:
        await run_all([Recorder("first", log), EndsAtOnce()], asyncio.Event())
    assert failed.group_contains(ServiceEnded, match="EndsAtOnce")
    assert log == ["first up", "first down"]


async def test_one_that_is_never_ready_is_named() -> None:
    with pytest.raises(ExceptionGroup) as failed:
        await run_all([NeverReady()], asyncio.Event(), start_limit_s=0.01)
    assert failed.group_contains(NotReady, match="NeverReady")


async def test_stop_while_starting_starts_nothing_more() -> None:
    log: list[str] = []
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(run_all([NeverReady(), Recorder("late", log)], stop))
        stop.set()
    assert log == []


async def test_one_that_does_not_end_holds_up_the_others_for_a_limit_only() -> None:
    log: list[str] = []
    stop = asyncio.Event()
    first = Recorder("first", log)
    stop.set()
    await run_all([first, Stubborn()], stop, stop_limit_s=0.01)
    assert log == ["first up", "first down"]


class Forgetful:
    """Loses the first cancellation, as a library does, and goes on."""

    async def run(self, ready: asyncio.Event) -> None:
        ready.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.Event().wait()


async def test_a_service_that_lost_its_cancellation_is_told_again() -> None:
    stop = asyncio.Event()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(run_all([Forgetful()], stop, stop_limit_s=0.01))
        await asyncio.sleep(0)
        stop.set()
