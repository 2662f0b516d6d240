"""All nodes at one moment, from everything that was heard of them until then."""

import re
from typing import Any, NamedTuple

from prover.checker.node import Node, Report, Seat
from prover.checker.world import World

PLAY = 0.05
"""How far a region's load may fall before its filtered load follows."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_MOST_SESSIONS = 100_000


class Seen(NamedTuple):
    """One node at one moment, for one kind of session."""

    node: Node
    name: str
    region: str
    state: str
    room: int
    share: float


def believable(report: Report) -> bool:
    """Whether the numbers of a report can be."""
    counts = [report["limit"], report["reserved"], report["queue"], report["faults"]]
    counts += [n for room in report["kinds"].values() for n in (room["held"], room["fits"])]
    return (
        all(0 <= count <= _MOST_SESSIONS for count in counts)
        and report["tier"] in ("hot", "warm", "cold")
        and 0.0 <= report["step_p95_ms"] <= 600_000.0
        and _NAME.fullmatch(report["node"]) is not None
    )


class Fleet:
    """What was heard, by node.

    Args:
        world: nodes of other regions are not believed.
        began_s: since when anybody listened.
    """

    def __init__(self, world: World, began_s: float) -> None:
        self._world = world
        self._began_s = began_s
        self.nodes: dict[str, Node] = {}
        self._gone: dict[str, str] = {}  # the boot that said goodbye
        self._died: set[str] = set()  # forgotten nodes that never said goodbye
        self._filtered: dict[tuple[str, str], float] = {}  # by region and kind
        self._looked_s: float | None = None  # None: something was heard since
        self._seen: dict[str, list[Seen]] = {}

    def heard(self, event: dict[str, Any]) -> None:
        """One event: `do` says which."""
        at_s, do = event["at_s"], event["do"]
        self._looked_s = None
        if do == "report":
            self._reported(event["report"], at_s)
        elif do == "ask":
            node = self.nodes.get(event["node"])
            if node is not None:
                node.seats.append(Seat(event["seat"], event["kind"], at_s))
                node.turn(at_s)
        elif do == "answer":
            node = self.nodes.get(event["node"])
            if node is not None:
                node.answered(event["seat"], event["answer"], event.get("taken", 0), at_s)
        elif do == "reach":
            node = self.nodes.get(event["node"])
            if node is not None:
                node.reached(at_s, reachable=event["reachable"])
        else:
            raise ValueError(f"nobody knows what {do!r} is")

    def _reported(self, report: Report, at_s: float) -> None:
        name = report["node"]
        if not believable(report) or self._gone.get(name) == report["boot"]:
            return
        node = self.nodes.get(name)
        if report["goodbye"]:
            if node is not None and node.left(report["boot"]):
                del self.nodes[name]
                self._gone[name] = report["boot"]
            return
        if report["region"] not in self._world.regions:
            return
        if node is not None and not node.dead(at_s):
            if node.region == report["region"]:
                node.reported(report, at_s)
                node.turn(at_s)
            return
        returns = node is not None or name in self._died
        self.nodes[name] = Node(report, at_s, node, returns=returns)
        self._gone.pop(name, None)
        self._died.discard(name)

    def looked(self, now_s: float) -> None:
        """A decision may be made now: what is long dead is forgotten, loads are filtered."""
        if now_s == self._looked_s:
            return  # nothing happened since
        self._looked_s, self._seen = now_s, {}
        for name in [name for name, node in self.nodes.items() if node.forgotten(now_s)]:
            del self.nodes[name]
            self._died.add(name)
        self._filter(now_s)

    def settled(self, now_s: float) -> bool:
        """Whether every node that lives must have reported by now."""
        return now_s >= self._began_s + 3.0

    def seen(self, kind: str, now_s: float) -> list[Seen]:
        """Every node, by name."""
        if kind not in self._seen:
            self._seen[kind] = [
                Seen(n, n.name, n.region, n.state(now_s), n.room(kind), n.share(now_s))
                for _, n in sorted(self.nodes.items())
            ]
        return self._seen[kind]

    def load(self, region: str, kind: str) -> float:
        """The filtered load of a region; 1 where nobody at all offers such sessions."""
        return self._filtered.get((region, kind), 1.0)

    def _filter(self, now_s: float) -> None:
        before, self._filtered = self._filtered, {}
        for key, (held, free) in self._seats(now_s).items():
            load = held / (held + free) if held + free else 1.0
            self._filtered[key] = _with_play(before.get(key, load), load)

    def _seats(self, now_s: float) -> dict[tuple[str, str], tuple[int, int]]:
        """Seats taken and free, by region and kind, of nodes that take sessions."""
        kinds = {kind for node in self.nodes.values() for kind in node.report["kinds"]}
        seats = {(region, kind): (0, 0) for region in self._world.regions for kind in kinds}
        for node in self.nodes.values():
            if node.report["tier"] != "hot" or node.state(now_s) != "ready":
                continue
            for kind in node.report["kinds"]:
                held, free = seats[node.region, kind]
                seats[node.region, kind] = held + node.counted, free + node.room(kind)
        return seats


def _with_play(before: float, load: float) -> float:
    """Rises with the load at once; falls only what exceeds the play."""
    if load > before:
        return load
    return min(before, load + PLAY)
