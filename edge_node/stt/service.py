"""The device's life as a service, and the way back from its thread to the event loop."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from edge_node.sessions.heard import SeatFailed
from edge_node.stt.batcher import BatchRules
from edge_node.stt.device import Device, Report
from edge_node.stt.engine import Engine
from shared.clock import Clock
from shared.errors import VoiceError

if TYPE_CHECKING:
    from edge_node.stt.gatekeeper import Gatekeeper

_log = logging.getLogger(__name__)


class Recogniser:
    """A service: loads the engine before it is ready, ends its thread at the end."""

    def __init__(
        self,
        make_engine: Callable[[], Engine],
        rules: BatchRules,
        clock: Clock,
        load_limit_s: float = 110.0,
        make_gatekeeper: "Callable[[], Gatekeeper | None]" = lambda: None,
    ) -> None:
        self.device = Device(make_engine, rules, clock, self._deliver, make_gatekeeper)
        self._load_limit_s = load_limit_s

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled. Raises what loading raised."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self.device.start, self._load_limit_s)
        ready.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(self.device.stop)

    def check(self) -> str | None:
        """What broke, if something did."""
        failure = self.device.failure
        return None if failure is None else failure.message

    def _deliver(self, report: Report) -> None:
        """One wake-up of the event loop for a whole batch."""
        self._loop.call_soon_threadsafe(_hear, report)


def _hear(report: Report) -> None:
    for occupant, heard in report:
        if occupant.left:  # while the report was on its way
            continue
        try:
            occupant.listen(heard)
        except Exception:  # noqa: BLE001 the words of the others must get through
            _log.exception("a session failed at what it heard")
            fault = VoiceError("a fault of the node's own", remedy="use another node")
            with suppress(Exception):  # it is in no state that anybody knows
                occupant.listen([SeatFailed(fault)])
