"""Conversations on a stage."""

import asyncio
from typing import Any

import pytest

from tests.support.conversing import Stage


@pytest.fixture
def play() -> Any:
    def run(scene: Any, **how: Any) -> None:
        async def whole() -> None:
            stage = Stage(**how)
            try:
                await scene(stage)
            finally:
                await stage.end()

        asyncio.run(whole())

    return run
