"""Ctrl-C: the first asks for an end, the second insists."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


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
