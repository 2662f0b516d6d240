"""What nodes report, into the fleet; and what follows from it once a second."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable

import msgspec

from control_plane.bundles.in_service import InService
from control_plane.commands import Commands
from control_plane.fleet import Fleet, Heard, State
from control_plane.streams import BUNDLE
from control_plane.waiting import Changes
from heliovox.protocol.control import NodeView, RegionView
from shared.bus import Bus
from shared.capacity import DEAD_S
from shared.clock import Clock, wall_s
from shared.errors import BusFailed, NotFound
from shared.subjects import REPORTS

_log = logging.getLogger(__name__)

BACKLOG = 16_384
"""Reports that may wait for their turn: those of some seconds from a large fleet."""
LOOK_S = 1.0
COMPLAIN_EVERY_S = 60.0
"""About the same node for the same reason."""
MOST_COMPLAINTS = 1_000
IN_SERVICE = "in_service"


class Feed:
    """A service: the only one that writes the fleet.

    Args:
        changes: told when a decision may come out otherwise than before.
        touched: called when other regions are in service.
        each_second: called with nothing, for whatever else time decides.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        fleet: Fleet,
        changes: Changes,
        *,
        grace_s: float,
        touched: Callable[[], None],
        each_second: Callable[[], None],
    ) -> None:
        self._bus, self._clock, self.fleet, self._changes = bus, clock, fleet, changes
        self._grace_s, self._touched, self._each_second = grace_s, touched, each_second
        self._commands = Commands(bus)
        self._complained_s: dict[tuple[str, str], float] = {}
        self._cut_s = float("-inf")
        self.in_service = InService(grace_s)
        self.heard_s: dict[str, float] = {}
        """When a report last came from each region."""
        self.heard: Counter[str] = Counter()
        """Reports by what became of them."""

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled."""
        known = await self._known()
        self.in_service = InService(self._grace_s, known, self._clock.now_s())
        subscription = await self._bus.subscribe(
            REPORTS, self._reported, at_once=1, backlog=BACKLOG
        )
        ready.set()
        try:
            while True:
                await self._look()
                await self._clock.sleep(LOOK_S)
        finally:
            await subscription.end()

    def check(self) -> str | None:
        """For /readyz: whether the fleet is known, as far as there is one."""
        if self.heard["applied"] or self.fleet.view(self._clock.now_s()).settled:
            return None
        return "no node has reported yet"

    def gone(self, node: str, boot: str) -> bool:
        """Whether a boot of a node is no more. False where we could not know."""
        now_s = self._clock.now_s()
        view = self.fleet.view(now_s)
        if not view.settled or now_s - self._cut_s <= DEAD_S + LOOK_S:
            return False
        at = view.roster.index.get(node)
        if at is None:
            return True
        return State(int(view.state[at])) == State.DEAD or view.roster.boots[at] != boot

    def nodes(self) -> tuple[NodeView, ...]:
        """Every node as it is seen now."""
        return self.fleet.nodes(self._clock.now_s())

    def regions(self) -> tuple[RegionView, ...]:
        """Every region of the world."""
        return self.fleet.regions(self._clock.now_s())

    def alive(self) -> tuple[str, ...]:
        """Regions from which reports come."""
        return self.fleet.view(self._clock.now_s()).in_service

    def states(self) -> dict[str, float]:
        """How many nodes are in each state."""
        counts = Counter(node.state for node in self.nodes())
        return {state.label: float(counts[state.label]) for state in State}

    def ramping(self) -> float:
        """How many nodes stand back because they failed lately."""
        return float((self.fleet.view(self._clock.now_s()).share < 1.0).sum())

    async def drain(self, node: str, *, on: bool) -> None:
        """Tells a node to take no new sessions, or new ones again.

        Raises NotFound, BusFailed, CommandRefused.
        """
        roster = self.fleet.view(self._clock.now_s()).roster
        at = roster.index.get(node)
        if at is None:
            raise NotFound(
                "no such node", field="node", value=node, remedy="see GET /v1/nodes for names"
            )
        await self._commands.drain(roster.region_of(at), node, on=on)

    async def _reported(self, subject: str, data: bytes) -> None:
        now_s = self._clock.now_s()
        heard = self.fleet.heard(subject, data, now_s, wall_s())
        self.heard[heard.code] += 1
        if not heard.refused:
            self.heard_s[subject.split(".")[2]] = now_s
        if heard.code in ("applied", "removed"):
            self._changes.changed()
        elif heard.refused or heard.code == "other_boot":
            self._complain(heard)

    def _complain(self, heard: Heard) -> None:
        about, now_s = (heard.node, heard.code), self._clock.now_s()
        if now_s - self._complained_s.get(about, float("-inf")) < COMPLAIN_EVERY_S:
            return
        if len(self._complained_s) >= MOST_COMPLAINTS:
            self._complained_s.clear()
        self._complained_s[about] = now_s
        why = heard.error.message if heard.error else "two boots report under its name"
        _log.warning("report of %s not taken (%s): %s", heard.node, heard.code, why)

    async def _look(self) -> None:
        now_s = self._clock.now_s()
        if not self._bus.connected:
            self._cut_s = now_s
            return
        self._each_second()
        if now_s - self._cut_s > LOOK_S and self.in_service.looked_at(self.alive(), now_s):
            self._touched()
            await self._keep()

    async def _known(self) -> tuple[str, ...]:
        """What was in service before this start: a restart of the centre moves nobody's home."""
        try:
            entry = await self._bus.kv(BUNDLE.name).get(IN_SERVICE)
        except BusFailed as error:
            _log.warning("regions in service are not known: %s", error.message)
            return ()
        if entry is None or entry.value is None:
            return ()
        try:
            return msgspec.json.decode(entry.value, type=tuple[str, ...])
        except msgspec.DecodeError:
            return ()

    async def _keep(self) -> None:
        regions = msgspec.json.encode(sorted(self.in_service.regions))
        try:
            await self._bus.kv(BUNDLE.name).put(IN_SERVICE, regions)
        except BusFailed as error:
            _log.warning("regions in service are not kept: %s", error.message)
