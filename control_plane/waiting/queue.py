"""Everybody who waits, and whose turn it is: tenants by weight, then whoever came first. Pure.

A **line** is what somebody asks for and where he may have it: one refusal speaks for all who stand
in it. Lines that share regions share their seats: whoever is least behind in a region is first, in
whatever line he stands. Equal histories, equal answers.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass

from control_plane.waiting.ahead import Entry, in_order
from control_plane.waiting.shares import Shares, Weight


@dataclass(frozen=True, slots=True)
class Line:
    """Those who ask for the same, in the same places."""

    regions: frozenset[str]
    """Where they may be served."""
    kind: str
    what: Hashable = None
    """What else a decision about them depends on: language, model, whereabouts, ..."""

    def meets(self, other: "Line") -> bool:
        """Whether a seat could suit both."""
        return not self.regions.isdisjoint(other.regions)


@dataclass(frozen=True, slots=True)
class Waiter:
    """Somebody in line."""

    number: int
    """Counts all who ever came: smaller is older."""
    tenant: str
    line: Line


_Tenants = dict[str, dict[int, Waiter]]


class FairQueue:
    """Who waits.

    Args:
        weight: of a tenant, from 1 to 100.
    """

    def __init__(self, weight: Weight) -> None:
        self.shares = Shares(weight)
        self.version = 0
        """Another one whenever anybody's turn may be another."""
        self._lines: dict[Line, _Tenants] = {}
        self._all: dict[int, Waiter] = {}
        self._of: dict[str, int] = {}
        self._last = 0
        self._orders: dict[Line, tuple[int, dict[int, int]]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, number: int) -> bool:
        return number in self._all

    def waiter(self, number: int) -> Waiter:
        """Raises KeyError."""
        return self._all[number]

    def waiters(self) -> Iterable[Waiter]:
        """The oldest first."""
        return self._all.values()

    def lines(self) -> Iterable[Line]:
        """In which anybody stands."""
        return self._lines

    def join(self, tenant: str, line: Line) -> Waiter:
        """Somebody comes: behind all of his tenant's."""
        self._last += 1
        waiter = Waiter(self._last, tenant, line)
        self._all[waiter.number] = waiter
        self._lines.setdefault(line, {}).setdefault(tenant, {})[waiter.number] = waiter
        self._of[tenant] = self._of.get(tenant, 0) + 1
        self.version += 1
        return waiter

    def leave(self, number: int) -> None:
        """Somebody goes without a seat. Whoever is not there may go too."""
        self._remove(number)
        if not self._all:
            self.shares.clear()

    def serve(self, number: int, region: str) -> None:
        """Somebody got a seat, and his tenant falls behind by it."""
        waiter = self._remove(number)
        if waiter is not None and self._all:
            self.shares.took(waiter.tenant, region)
        elif not self._all:
            self.shares.clear()

    def took(self, tenant: str, region: str) -> None:
        """A seat that others wait for went to somebody of a tenant who did not have to wait."""
        if self._all:
            self.shares.took(tenant, region)
            self.version += 1

    def heads(self, free: Callable[[Line], frozenset[str]] | None = None) -> list[Waiter]:
        """Who is first in each line, and in this order: whose turn it is, then the next line's.

        Args:
            free: those of a line's regions that have seats: lines are compared by these.
        """
        found = []
        for line, tenants in self._lines.items():
            regions = line.regions if free is None else free(line) or line.regions
            found.append(min(self._candidates(tenants, regions)))
        return [self._all[number] for _, number in sorted(found)]

    def position(self, number: int) -> int:
        """From 1: how many are served until he is, as things stand, himself included.

        Counts all who would take a seat that suits him before he does, whatever line they are in.
        """
        line = self._all[number].line
        version, order = self._orders.get(line, (-1, {}))
        if version != self.version:
            order = {entry.number: at for at, entry in enumerate(self.order(line), 1)}
            self._orders = {one: known for one, known in self._orders.items() if one in self._lines}
            self._orders[line] = (self.version, order)
        return order[number]

    def order(self, line: Line) -> list[Entry]:
        """All who wait for seats that would suit a line, as they would be served."""
        entries = [
            Entry(one.number, one.tenant, one.line == line)
            for one in self._all.values()
            if one.line.meets(line)
        ]
        behind = {
            tenant: self.shares.behind(tenant, line.regions)
            for tenant in {one.tenant for one in entries}
        }
        return list(in_order(entries, behind, self.shares.weight))

    def crowder(self, tenant: str) -> Waiter | None:
        """The youngest of whoever crowds the hall, where `tenant` has a better claim to his place.

        None where nobody waits for more than his share of it.
        """
        if not self._of:
            return None

        def crowd(name: str, more: int = 0) -> float:
            return (self._of.get(name, 0) + more) / self.shares.weight(name)

        worst = max(self._of, key=lambda name: (crowd(name), name))
        if crowd(tenant, 1) >= crowd(worst):
            return None
        return max(
            (one for one in self._all.values() if one.tenant == worst), key=lambda one: one.number
        )

    def _candidates(self, tenants: _Tenants, regions: frozenset[str]) -> Iterator[tuple[int, int]]:
        for tenant, waiters in tenants.items():
            yield self.shares.behind(tenant, regions), next(iter(waiters))

    def _remove(self, number: int) -> Waiter | None:
        waiter = self._all.pop(number, None)
        if waiter is None:
            return None
        self.version += 1
        tenants = self._lines[waiter.line]
        del tenants[waiter.tenant][number]
        if not tenants[waiter.tenant]:
            del tenants[waiter.tenant]
        if not tenants:
            del self._lines[waiter.line]
        self._of[waiter.tenant] -= 1
        if not self._of[waiter.tenant]:
            del self._of[waiter.tenant]
        return waiter
