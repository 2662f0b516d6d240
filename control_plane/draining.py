"""Moves the sessions of nodes away that take nobody new: an operator's drain, or a node's stop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from control_plane.fleet import Fleet, State
from control_plane.moving import Moving
from control_plane.sessions.leaving import Leaving
from control_plane.sessions.table import SessionTable
from control_plane.streams import DRAINS
from heliovox.protocol.draining import DrainView
from shared.bus import Bus
from shared.clock import Clock, wall_ms
from shared.errors import BusFailed, NotFound, VoiceError
from shared.tasks import Tasks

_log = logging.getLogger(__name__)

ROUND_S = 0.25
SEEN_S = 3.0
"""A node that was told to take nobody new reports it by then."""
MOST = 1_000
"""Nodes at one time."""


class Draining:
    """Every control plane looks after every node that drains: claims keep them apart.

    Args:
        command: tells a node to take nobody new, or sessions again. Raises VoiceError.
        table: of all sessions.
        tasks: own the work, one task a node.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        *,
        fleet: Fleet,
        table: SessionTable,
        moving: Moving,
        command: Callable[[str, bool], Awaitable[None]],
        tasks: Tasks,
    ) -> None:
        self._bus, self._clock, self._fleet, self._table = bus, clock, fleet, table
        self._moving, self._command, self._tasks = moving, command, tasks
        self._nodes: dict[str, Leaving] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._running)

    async def drain(self, node: str, *, keep: bool) -> DrainView:
        """The node takes nobody new, and its sessions go elsewhere or, with `keep`, stay.

        Raises NotFound, BusFailed, CommandRefused.
        """
        self._check(node)
        if keep:
            await self._bus.kv(DRAINS.name).put(node, self._boot(node).encode())
        else:
            await self._bus.kv(DRAINS.name).delete(node)
        await self._command(node, True)
        if not keep:
            self._nodes[node] = Leaving(node)
            self._begin(node)
        return await self.view(node)

    async def undrain(self, node: str) -> None:
        """It takes sessions again; those that are on their way go. Raises as `drain`."""
        self._check(node)
        await self._command(node, False)
        await self._bus.kv(DRAINS.name).delete(node)

    async def view(self, node: str) -> DrainView:
        """How far its sessions are gone. Raises NotFound, BusFailed."""
        self._check(node)
        live, draining = len(self._table.live_at(node)), self._state(node) == State.DRAINING
        leaving = self._nodes.get(node)
        if leaving is not None:
            return leaving.view(live, draining=draining or node in self._running)
        keeps = await self._keeps(node)
        done = draining and not live
        return DrainView(node, draining or keeps, keeps, live, 0, 0, (), done)

    def each_second(self) -> None:
        """Begins with nodes that drain and are not looked after."""
        view = self._fleet.view(self._clock.now_s())
        for at in (view.state == State.DRAINING).nonzero()[0].tolist():
            self._begin(view.nodes[at])

    def _begin(self, node: str) -> None:
        if node not in self._running and len(self._running) < MOST:
            self._running[node] = self._tasks.begin(self._emptied(node), f"drain of {node}")

    async def _emptied(self, node: str) -> None:
        """Until the node takes sessions again, is gone, or its sessions are to stay."""
        seen_s = self._clock.now_s()
        try:
            while not await self._keeps(node):
                looked_s = self._clock.now_s()
                while self._clock.now_s() - looked_s < SEEN_S:
                    await self._clock.sleep(ROUND_S)  # so long its word to the contrary may take
                    state = self._state(node)
                    if state in (State.DRAINING, State.STALE):
                        seen_s = self._clock.now_s()
                    if self._clock.now_s() - seen_s > SEEN_S:
                        return
                    leaving = self._nodes.setdefault(node, Leaving(node))
                    self._round(leaving, ask=state == State.DRAINING)
        except BusFailed as error:
            _log.warning("sessions of %s are not moved: %s", node, error.message)
        finally:
            _ = self._nodes.pop(node, None)
            _ = self._running.pop(node, None)

    def _round(self, leaving: Leaving, *, ask: bool) -> None:
        live = self._table.live_at(leaving.node)
        here = {row.session for row in live}
        left = [self._table.get(name) for name in leaving.known() if name not in here]
        elsewhere = {row.session for row in left if row is not None and row.state == "live"}
        leaving.gone(here, elsewhere)
        for session in leaving.next(live, wall_ms()) if ask else ():
            _ = self._tasks.begin(self._move(leaving, session), "a session moved")

    async def _move(self, leaving: Leaving, session: str) -> None:
        try:
            await self._moving.move(session, None, "draining")
        except VoiceError as error:
            leaving.failed(session, error, wall_ms())
        else:
            leaving.told(session, wall_ms())

    async def _keeps(self, node: str) -> bool:
        """Of this start of it: an operator's word is no longer good after a restart."""
        entry = await self._bus.kv(DRAINS.name).get(node)
        return entry is not None and entry.value == self._boot(node).encode()

    def _boot(self, node: str) -> str:
        roster = self._fleet.view(self._clock.now_s()).roster
        at = roster.index.get(node)
        return "" if at is None else roster.boots[at]

    def _state(self, node: str) -> State | None:
        return self._fleet.view(self._clock.now_s()).state_of(node)

    def _check(self, node: str) -> None:
        if self._state(node) is None:
            raise NotFound(
                "no such node", field="node", value=node, remedy="see GET /v1/nodes for names"
            )
