"""Ctrl-C: the first asks for an end, the second insists."""

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol


class Cuttable(Protocol):
    """Something that can be ended without ceremony."""

    def cut(self) -> None:
        """Ends it at once."""
        ...


@contextmanager
def on_interrupt(ask: Callable[[], object]) -> Iterator[Callable[[], bool]]:
    """While inside, the first Ctrl-C calls `ask`; the second cancels the task that entered.

    Yields:
        Whether Ctrl-C was pressed.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    pressed = 0

    def press() -> None:
        nonlocal pressed
        pressed += 1
        if pressed == 1:
            ask()
        elif task is not None:
            task.cancel()

    try:
        loop.add_signal_handler(signal.SIGINT, press)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
        yield lambda: False
        return
    try:
        yield lambda: pressed > 0
    finally:
        loop.remove_signal_handler(signal.SIGINT)


@contextmanager
def ending(running: Sequence[Cuttable]) -> Iterator[None]:
    """While inside, a signal ends the task in order; a second one does not wait for anything."""
    task, pressed = asyncio.current_task(), 0
    assert task is not None

    def press() -> None:
        nonlocal pressed
        pressed += 1
        if pressed == 1:
            task.cancel()
            return
        for world in running:
            world.cut()

    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, press)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
