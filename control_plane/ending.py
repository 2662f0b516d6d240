"""Ends sessions: live ones at their node, held seats before anybody came."""

from collections.abc import Callable

from control_plane.commands import Commands
from control_plane.sessions.table import SessionTable

GIVEN_BACK = "given_back"
GIVEN_UP = "given_up"
"""Of a session that was told to end while its node was gone: nobody may go on with it."""


class Ending:
    """Carries out what DELETE /v1/sessions/{id} and nodes ask for.

    Args:
        freed: told when a seat is free again that nobody reported yet.
    """

    def __init__(self, table: SessionTable, commands: Commands, freed: Callable[[], None]) -> None:
        self._table, self._commands, self._freed = table, commands, freed

    async def end(self, session: str) -> None:
        """Nothing for a session that is not known or over. Raises BusFailed, CommandRefused."""
        row = self._table.get(session)
        if row is None or not row.open:
            return
        if row.state in ("live", "paused"):
            await self._commands.end(row.region, row.node, session)
            return
        if row.state == "lost":
            self._table.ended(session, GIVEN_UP)
            return
        await self._commands.release(row.region, row.node, session, row.reservation)
        self._table.ended(session, GIVEN_BACK)
        self._freed()

    async def give_back(self, session: str) -> None:
        """Likewise, of a seat that was held for a node's caller: only before anybody came."""
        row = self._table.get(session)
        if row is not None and row.state == "reserved":
            await self.end(session)
