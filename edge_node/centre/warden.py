"""Looks at live sessions whenever rules change, and tells those that may not go on as they are.

Who comes later is judged by the rules of then, so nothing is looked at in between.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

from edge_node.centre.expiry import Held
from edge_node.centre.review import Ruling, review
from edge_node.desk import Question, Terms
from heliovox.protocol.messages import Start

_log = logging.getLogger(__name__)


class Live(Protocol):
    """A session that runs, or a caller who is passed on."""

    @property
    def terms(self) -> Terms | None:
        """By which it was let in; None where it is over."""
        ...

    def ruled(self, ruling: Ruling, seek: "Seek") -> None:
        """It may not go on as it is. Returns at once."""
        ...


Seek = Callable[[Start, str, Terms, Ruling], Question]
"""Asks the centre for a lawful seat, for a caller who said `start` and has one of a kind here."""


class Warden:
    """One a node.

    Args:
        live: all sessions.
        held: the rules of now.
        region: of the node.
        at_ms: the wall clock.
        seek: asks the centre for a lawful seat.
    """

    def __init__(
        self,
        live: Callable[[], Iterable[Live]],
        held: Callable[[], Held],
        region: str,
        at_ms: Callable[[], int],
        seek: Seek,
    ) -> None:
        self._live, self._held, self._region = live, held, region
        self._at_ms, self._seek = at_ms, seek
        self._looked: tuple[str, int] | None = None
        self.ruled: Counter[str] = Counter()
        """Sessions that could not go on as they were, by what became of them."""

    def look(self) -> None:
        """About once a second, and at every change of rules."""
        rules = self._held().rules
        if rules is None:
            return
        at_ms = self._at_ms()
        now = (rules.bundle.version, rules.policies.turn(at_ms))
        if now == self._looked:
            return
        self._looked = now
        for session in list(self._live()):
            if (terms := session.terms) is None:
                continue
            ruling = review(terms, self._region, rules, at_ms)
            if ruling.does != "stay":
                self._tell(session, ruling)

    def _tell(self, session: Live, ruling: Ruling) -> None:
        self.ruled[ruling.does] += 1
        _log.info(
            "policy %s of version %s forbids a live session (%s): %s",
            ruling.policy, ruling.policy_version, ruling.clause, ruling.does,
        )  # fmt: skip
        session.ruled(ruling, self._seek)
