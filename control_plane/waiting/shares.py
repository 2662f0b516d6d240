"""Who has had how much of each region's seats: what makes a line fair among tenants. Pure.

Start-time fair queueing, for each region by itself. A tenant who gets a seat there falls behind by
one over his weight; whoever is least behind is next. Nobody saves up: who did not wait has no claim
to what was given away meanwhile.
"""

import math
from collections.abc import Callable, Collection

from shared.regions.weights import MOST_WEIGHT

SEAT = math.lcm(*range(1, MOST_WEIGHT + 1))
"""By how much a seat puts a tenant of weight 1 behind. A whole number for every weight: sums of
fractions would depend on the order in which they were added, and so would turns."""
MOST = 8192
"""Tenants who are behind somewhere. Beyond it those least behind are forgotten."""

Weight = Callable[[str], int]


class Shares:
    """How far each tenant is behind, by region.

    Args:
        weight: of a tenant, from 1 to 100.
    """

    def __init__(self, weight: Weight) -> None:
        self._weight = weight
        self._now: dict[str, int] = {}
        """Virtual time of each region: what the last seat there began at."""
        self._until: dict[tuple[str, str], int] = {}
        """When each tenant's last seat in a region is made up for: (region, tenant)."""

    def __len__(self) -> int:
        return len(self._until)

    def weight(self, tenant: str) -> int:
        """As it is now."""
        return self._weight(tenant)

    def behind(self, tenant: str, regions: Collection[str]) -> int:
        """How far a tenant is behind, as the mean of regions, in parts of SEAT: 0 is next."""
        until, now = self._until, self._now
        lags = (max(0, until.get((one, tenant), 0) - now.get(one, 0)) for one in regions)
        return sum(lags) // max(1, len(regions))

    def took(self, tenant: str, region: str) -> None:
        """A tenant got a seat that others waited for too."""
        began = max(self._until.get((region, tenant), 0), self._now.get(region, 0))
        self._now[region] = began
        self._until[region, tenant] = began + SEAT // self._weight(tenant)
        if len(self._until) > MOST:
            self._forget()

    def clear(self) -> None:
        """Nobody waits any more, so nobody is behind anybody."""
        self._now.clear()
        self._until.clear()

    def _forget(self) -> None:
        ahead = {key: self._until[key] - self._now.get(key[0], 0) for key in self._until}
        most = sorted(ahead, key=lambda key: (-ahead[key], key))[: MOST // 2]
        self._until = {key: self._until[key] for key in most if ahead[key] > 0}
