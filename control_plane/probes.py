"""When which node is probed, and what the answers make of it. Time and answers are handed in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

EVERY_S = 30.0
FAILURES = 3
FEW = 4
"""Of fewer nodes that all fail it cannot be told whose fault it is: they are believed."""
_STREAM = "/v1/stream"
_HEALTH = "/healthz"
_OVER = {"ws": "http", "wss": "https"}
_SPREAD = 0.618033988749895
"""Multiples of the golden ratio, less their whole part, lie evenly however many there are."""


@dataclass(slots=True)
class _Probed:
    """One node."""

    due_s: float
    failures: int = 0
    """In a row."""


class Probes:
    """A node is out after so many failures in a row, and back with the first success.

    Args:
        every_s: between two probes of a node. First ones are spread over as long.
        failures: in a row.
    """

    def __init__(self, every_s: float = EVERY_S, failures: int = FAILURES) -> None:
        self._every_s, self._most = every_s, failures
        self._nodes: dict[str, _Probed] = {}
        self._met = 0

    def due(self, nodes: Sequence[str], now_s: float) -> list[str]:
        """Which of the nodes to probe now; each is due again later. Others are forgotten."""
        self._nodes = {node: self._of(node, now_s) for node in nodes}
        found = [node for node, probed in self._nodes.items() if now_s >= probed.due_s]
        for node in found:
            self._nodes[node].due_s = now_s + self._every_s
        return found

    def _of(self, node: str, now_s: float) -> _Probed:
        known = self._nodes.get(node)
        if known is not None:
            return known
        self._met += 1
        return _Probed(now_s + self._every_s * (self._met * _SPREAD % 1.0))

    def answered(self, node: str, *, well: bool) -> bool | None:
        """Whether the node is reachable; None where a failure does not say so yet."""
        probed = self._nodes.get(node)
        if probed is None:
            return None
        probed.failures = 0 if well else probed.failures + 1
        if well:
            return True
        return False if probed.failures >= self._most and not self.blind else None

    @property
    def blind(self) -> bool:
        """Whether so many nodes do not answer that the fault is more likely on our side.

        Then nobody is put out: a centre that lost its own way out must not refuse everybody.
        """
        return len(self._nodes) >= FEW and 2 * len(self.failing) > len(self._nodes)

    @property
    def failing(self) -> Mapping[str, int]:
        """Nodes whose last probes failed, and how many in a row."""
        return {node: one.failures for node, one in self._nodes.items() if one.failures}


def health_url(url: str) -> str:
    """Where to ask whether anybody is there: beside where callers come in.

    Args:
        url: of a node's report: `wss://host/prefix/v1/stream`.
    """
    parts = urlsplit(url)
    path = parts.path.removesuffix("/").removesuffix(_STREAM) + _HEALTH
    return f"{_OVER[parts.scheme]}://{parts.netloc}{path}"
