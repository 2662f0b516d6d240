"""Work that goes on although whoever waits for it turns to something else."""

import asyncio
from collections.abc import Coroutine


class Errands:
    """Of one session, which ends them with itself."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[None, None, None], name: str) -> None:
        """Goes to work. What it raises, it has to tell by itself."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancels what goes on, and waits until it is over."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
