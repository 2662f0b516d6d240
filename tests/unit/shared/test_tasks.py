import asyncio
import logging

import pytest

from shared.tasks import Tasks


def test_what_still_runs_is_cancelled_with_its_owner() -> None:
    async def scene() -> None:
        tasks, reached = Tasks(), asyncio.Event()

        async def work() -> None:
            reached.set()
            await asyncio.Event().wait()

        task = tasks.begin(work(), "work")
        await reached.wait()
        assert len(tasks) == 1
        await tasks.end()
        assert task.cancelled()
        assert len(tasks) == 0

    asyncio.run(scene())


def test_a_failure_is_logged_with_the_task_it_happened_in(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scene() -> None:
        tasks = Tasks()

        async def work() -> None:
            raise ValueError("broke")

        await asyncio.wait([tasks.begin(work(), "the work")])

    with caplog.at_level(logging.ERROR):
        asyncio.run(scene())
    assert "the work failed" in caplog.text
