"""Decisions by id: one's own in memory, with all they were made from; others' from the stream."""

import logging

import msgspec

from control_plane.ids import batch_of, plane_of
from control_plane.placement import Decision, explain
from control_plane.placement.kept import Kept, Made
from control_plane.streams import DECISIONS
from heliovox.protocol.control import DecisionView
from shared.bus import Bus
from shared.subjects import decision as decision_subject

_log = logging.getLogger(__name__)

MOST_ROWS = 8
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
            subject = None if plane is None else decision_subject(plane, batch_of(decision_id))
        except ValueError:
            subject = None
        if subject is None:
            return None
        stored = await self._bus.last(DECISIONS.name, subject)
        return None if stored is None else _found(stored.data, decision_id)

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


def _found(batch: bytes, decision_id: str) -> DecisionView | None:
    try:
        views = msgspec.json.decode(batch, type=tuple[DecisionView, ...])
    except msgspec.DecodeError as error:
        _log.warning("kept decisions cannot be read: %s", error)
        return None
    return next((view for view in views if view.id == decision_id), None)
