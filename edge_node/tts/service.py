"""What the node asks of whatever speaks."""

import asyncio
from typing import Protocol

from edge_node.tts.saying import Speaker


class Speech(Speaker, Protocol):
    """A service that speaks."""

    @property
    def voices(self) -> tuple[str, ...]:
        """By name; the first is the default. Known before it runs."""
        ...

    async def run(self, ready: asyncio.Event) -> None:
        """Loads and warms up, then until cancelled."""
        ...

    def check(self) -> str | None:
        """What is wrong, if nothing can be said at all."""
        ...
