"""Decisions by id: one's own in memory, with all they were made from; others' from the stream."""

import logging

import msgspec

from control_plane.ids import plane_of
from control_plane.placement import Decision, explain
from control_plane.placement.kept import Kept, Made
from control_plane.streams import DECISIONS
from heliovox.protocol.control import DecisionView
from shared.bus import Bus
from shared.subjects import decision as decision_subject

_log = logging.getLogger(__name__)

MOST_ROWS = 16
"""Of ranking and of losers each, in what other control planes can read."""


class Decisions:
    """The latest that this control plane made, and a way to the others.

    Args:
        plane: this control plane.
        most: remembered.
        signed_by: the fingerprint of its signing key.
    """

    def __init__(self, bus: Bus, plane: str, most: int, signed_by: str = "") -> None:
        self._bus, self._plane, self._kept = bus, plane, Kept(most)
        self._signed_by = signed_by

    def __len__(self) -> int:
        return len(self._kept)

    def made(self, decision: Decision, attempts: tuple[str, ...], session: str | None) -> None:
        """Remembers one."""
        self._kept.add(decision, attempts, session)

    async def decision(self, decision_id: str) -> DecisionView | None:
        """Everything about one; None where it is not known any more. Raises BusFailed."""
        made = self._kept.of(decision_id)
        if made is not None:
            return self._explained(made)
        plane = plane_of(decision_id)
        try:
            subject = None if plane is None else decision_subject(plane, decision_id)
        except ValueError:
            subject = None
        if subject is None:
            return None
        stored = await self._bus.last(DECISIONS.name, subject)
        return None if stored is None else _decoded(stored.data)

    def shortened(self, decision_id: str) -> DecisionView | None:
        """One of our own as others get it: only so many rows."""
        made = self._kept.of(decision_id)
        if made is None:
            return None
        return self._explained(made, MOST_ROWS)

    def _explained(self, made: Made, most: int | None = None) -> DecisionView:
        return explain(
            made.decision, self._plane, made.attempts, made.session, most, self._signed_by
        )


def _decoded(data: bytes) -> DecisionView | None:
    try:
        return msgspec.json.decode(data, type=DecisionView)
    except msgspec.DecodeError as error:
        _log.warning("a kept decision cannot be read: %s", error)
        return None
