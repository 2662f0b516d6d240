"""Looks every second whether anything is held for nobody, says so, and frees it."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from edge_node.capacity.admission import Admission
from edge_node.recovery.invariants import INVARIANTS, Broken, Seen, broken
from edge_node.recovery.service import Recoveries
from edge_node.sessions.history import History
from edge_node.stt.device import Device

if TYPE_CHECKING:
    from edge_node.arriving import Arrival
    from edge_node.conversation import Conversation

_log = logging.getLogger(__name__)

LATE_S = 5.0
"""Beyond its time, before a session that waits is taken for forgotten."""


class Watch:
    """One a node.

    Args:
        admission: the seats.
        device: the places on it.
        recoveries: sessions that may go on after a lost connection.
        live: sessions with a connection, by name.
        arriving: callers whose place is being asked for.
        connected: the conversations of all open connections.
    """

    def __init__(
        self,
        admission: Admission,
        device: Device,
        recoveries: Recoveries,
        live: "Mapping[str, Conversation]",
        arriving: "Iterable[Arrival]",
        connected: "Callable[[], set[Conversation]]",
    ) -> None:
        self._admission, self._device, self._recoveries = admission, device, recoveries
        self._live, self._arriving, self._connected = live, arriving, connected
        self.broken: Counter[str] = Counter(dict.fromkeys(INVARIANTS, 0))
        """How often each did not hold."""

    def look(self) -> None:
        """About once a second."""
        for one in broken(self.seen()):
            self.broken[one.invariant] += one.count
            history = self._history(one.session)
            _log.error("%s does not hold: %s\n%s", one.invariant, one, history)
            try:
                self._free(one)
            except Exception:  # noqa: BLE001 what broke a rule may be broken itself: the others go on
                _log.exception("what breaks %s could not be freed", one.invariant)

    def seen(self) -> Seen:
        """The node at this moment."""
        live, recoveries, connected = self._live, self._recoveries, self._connected()
        stays = {id(stay): stay for stay in recoveries.stays.values()}
        stays |= {id(stay): stay for talk in live.values() if (stay := talk.stay) is not None}
        places = {talk.occupant for talk in live.values()}
        return Seen(
            held=self._admission.held,
            seated=Counter(stay.admitted.kind for stay in stays.values() if stay.holds_seat),
            asking=Counter(one.kind for one in self._arriving),
            strangers=sum(one not in places for one in self._device.occupants),
            live=frozenset(live),
            connected=frozenset(name for name, talk in live.items() if talk in connected),
            known=frozenset(name for name, stay in recoveries.stays.items() if not stay.over),
            waiting=recoveries.parking.sessions,
            late=recoveries.late(LATE_S),
        )

    def _history(self, session: str) -> History | str:
        """The story of a session, which is free of speech."""
        if (talk := self._live.get(session)) is not None:
            return talk.session.history
        paused = self._recoveries.parking.of(session)
        return "" if paused is None else paused.kept.history

    def _free(self, one: Broken) -> None:
        match one.invariant:
            case "seat_without_session":
                for _ in range(one.count):
                    self._admission.leave(one.kind)
            case "session_without_seat":
                pass  # nothing is held: it goes on, and one more than fits may sit here
            case "occupant_without_session":
                places = {talk.occupant for talk in self._live.values()}
                for stranger in self._device.occupants:
                    if stranger not in places:
                        self._device.leave(stranger)
            case "session_without_connection":
                self._live[one.session].lost()
            case "session_nowhere" | "waits_too_long":
                self._recoveries.drop(one.session)
