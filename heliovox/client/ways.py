"""Which way to try next, to go on with a session, and when there is none left. Pure."""

from collections import Counter
from enum import Enum

from heliovox.client.errors import ClientError, NodeMisbehaved, Refused

LEAST_S, MOST_S = 0.05, 2.0
PATIENCE = 3
"""Attempts that a refusal of the token takes elsewhere: a control plane hears of the latest token a
moment after its caller."""
MAX_WITHOUT = 16
"""Nodes that a control plane is told not to choose."""
_FOR_GOOD = frozenset({1002, 1003, 1007, 1009, 4401, 4403, 4404, 4409})
"""Close codes that say that the session is over, or that one of both broke the protocol."""
_UNKNOWN = frozenset({"resume_refused", "not_found"})
_LATER = frozenset({"ticket_refused"})
"""Not retryable as it stands, but the next ticket is another one."""


def is_loss(close_code: int | None) -> bool:
    """Whether a session may go on after its connection ended so; None is a cut."""
    return close_code not in _FOR_GOOD


def backoff_s(failures: int, chance: float) -> float:
    """How long to wait before the next attempt.

    Full jitter: callers who lost the same node at the same moment do not come back as one.

    Args:
        failures: so far; the first attempt is made at once.
        chance: drawn from 0 to 1.
    """
    return 0.0 if failures == 0 else chance * min(MOST_S, LEAST_S * 2.0 ** min(failures - 1, 16))


class Way(Enum):
    """Where the session may go on."""

    SENT = "where the node sent it"
    HERE = "at the same node"
    ELSEWHERE = "by the control plane"


class Ways:
    """Those of one loss, in turn.

    Args:
        ways: in the order in which they are tried first.
        without: nodes that are known to be of no use.
    """

    def __init__(self, ways: list[Way], without: tuple[str, ...] = ()) -> None:
        self._ways = list(ways)
        self._without = list(without)
        self._tried: Counter[Way] = Counter()
        self._unknown: Counter[Way] = Counter()
        self._last: dict[Way, ClientError] = {}

    @property
    def attempts(self) -> int:
        """So far."""
        return self._tried.total()

    @property
    def without(self) -> tuple[str, ...]:
        """Nodes that the control plane need not name, the latest that failed."""
        return tuple(self._without[-MAX_WITHOUT:])

    def next(self) -> Way:
        """The way to try now."""
        way = self._ways.pop(0)
        self._ways.append(way)
        self._tried[way] += 1
        return way

    def failed(self, way: Way, error: ClientError, node: str | None = None) -> ClientError | None:
        """An attempt came to nothing.

        Args:
            way: that was tried.
            error: why.
            node: that was reached for, if one was.

        Returns:
            The error that ends the session, where there is no way left.
        """
        self._last[way] = error
        if node is not None and node not in self._without:
            self._without.append(node)
        if isinstance(error, Refused) and error.code == "superseded":
            return error
        if way is Way.ELSEWHERE and _no_other_node(error) and self._without:
            self._without.clear()  # rather one that failed before than none
        elif way is Way.SENT or self._is_closed(way, error):
            self._ways.remove(way)
            if way is Way.ELSEWHERE and isinstance(error, Refused) and error.code not in _UNKNOWN:
                return error  # it speaks for all nodes
        return None if self._ways else error

    def tried(self) -> str:
        """What was done, for people."""
        return ", ".join(
            f"{count} times {way.value} (at last: {self._last.get(way, 'no answer')})"
            for way, count in self._tried.items()
        )

    def _is_closed(self, way: Way, error: ClientError) -> bool:
        if isinstance(error, NodeMisbehaved):
            return True
        if not isinstance(error, Refused) or error.retryable or error.code in _LATER:
            return False
        if error.code not in _UNKNOWN:
            return True
        self._unknown[way] += 1
        return self._unknown[way] >= PATIENCE


def _no_other_node(error: ClientError) -> bool:
    return isinstance(error, Refused) and error.code in {"no_room", "not_allowed"}
