"""Brings what the recorder took down to the centre's stream, behind the callers' backs."""

import asyncio
import logging

from control_plane.fleet import Fleet
from control_plane.placement.recorder import Packed, Recorder
from shared.bus import Bus
from shared.clock import Clock
from shared.errors import BusFailed
from shared.subjects import record

_log = logging.getLogger(__name__)

EVERY_S = 1.0
"""Between batches. What a control plane that is killed takes with it is as old as this at most."""
FEW = 256
"""So many records may wait for the next time: those that came while a batch was on its way would
otherwise make one after the other, hundreds a second."""
LAST_S = 2.0
"""For what still waits at the end."""


class Recording:
    """A service.

    Args:
        fleet: whose witness the recorder is.
        plane: this control plane.
    """

    def __init__(
        self, bus: Bus, clock: Clock, recorder: Recorder, fleet: Fleet, plane: str
    ) -> None:
        self._bus, self._clock, self._fleet = bus, clock, fleet
        self._recorder, self._subject = recorder, record(plane)
        self._again: Packed | None = None
        self._failing = False
        self.kept = 0
        """Batches that the stream has."""

    @property
    def dropped(self) -> int:
        """Records that the stream was too slow for."""
        return self._recorder.dropped

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled; what waits then is still kept, if the stream is quick."""
        ready.set()
        try:
            while True:
                await self._clock.sleep(EVERY_S)
                await self._empty(FEW)
                if self._recorder.wants_snapshot(self._clock.now_s()):
                    self._recorder.snapshot(self._fleet.state())
        finally:
            await self._last()

    async def _empty(self, few: int) -> None:
        """All but a few that wait, or as much as the stream takes: the rest comes the next time."""
        try:
            while await self._one() and self._recorder.waiting > few:
                pass
        except BusFailed as error:
            if not self._failing:
                _log.warning("records are not kept: %s", error.message)
            self._failing = True
        else:
            self._failing = False

    async def _one(self) -> bool:
        self._again = self._again or self._recorder.take()
        if self._again is None:
            return False
        await self._bus.keep(self._subject, self._again.data, self._again.id)
        self._again = None
        self.kept += 1
        return True

    async def _last(self) -> None:
        try:
            async with asyncio.timeout(LAST_S):
                await self._empty(0)
        except TimeoutError:
            _log.warning("%d records are not kept", self._recorder.waiting)
