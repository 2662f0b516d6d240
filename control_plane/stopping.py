"""How a control plane stops: on SIGTERM or SIGINT, services in reverse; nothing to drain."""

import asyncio
import logging
import signal

_log = logging.getLogger(__name__)


class Signals:
    """A service: sets `stop` on the first signal. Answers in progress are still given."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked)
        ready.set()
        await asyncio.Event().wait()

    def _asked(self) -> None:
        _log.info("stopping")
        self._stop.set()
