"""The regions of a world as columns: how far, at what price, and what policies make of them."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from control_plane.fleet.memo import Memo
from heliovox.protocol.messages import Place
from shared.geography import rtt_between_ms, spot
from shared.policy import CompiledPolicy
from shared.regions.model import World

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

ORIGINS = 4096
"""Places of callers whose round trips are remembered: 0.4 KB each at 50 regions."""
POLICIES = 4096
"""Policies, each with the rules that came with it, that are remembered: 0.3 KB each."""


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """What a policy makes of regions."""

    policy: CompiledPolicy
    """Held on to: it is known by its identity."""
    allowed: Mask
    overflow: Mask
    """Of the allowed ones."""
    preferred: Mask | None
    """Likewise; None where it prefers none."""
    forbidden: Mask
    """Those that are not allowed."""
    reach: dict[int, Any] = field(default_factory=dict)
    """For `sieves.reach`, by home: what does not depend on where the caller is."""


class Atlas:
    """A world's regions in the order of their names, which is the order of every column here.

    Args:
        world: is kept, and read by nobody through this.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.names: tuple[str, ...] = tuple(sorted(world.regions))
        self.index: dict[str, int] = {name: at for at, name in enumerate(self.names)}
        self.hourly_cost_usd: F64 = np.array(
            [world.regions[name].hourly_cost_usd for name in self.names], np.float64
        )
        self.price_ms: F64 = world.ranking.cost_ms_per_usd * self.hourly_cost_usd
        """What a region's price weighs beside milliseconds."""
        self.has_prices = bool(np.any(self.price_ms > 0.0))
        self._places = tuple(spot(world.regions[name].place) for name in self.names)
        self._rtt: Memo[tuple[float, float], F64] = Memo(ORIGINS)
        self._terms: Memo[int, Terms] = Memo(POLICIES)

    def rtt_ms(self, place: Place) -> F64:
        """The round trip to expect to every region, by the very function that nodes use."""
        return self._rtt.of((place.lat, place.lon), lambda: self._row(place))

    def terms(self, policy: CompiledPolicy) -> Terms:
        """What the policy makes of regions. Found by identity: a policy's hash is dear."""
        return self._terms.of(id(policy), lambda: self._work_out(policy))

    def _row(self, place: Place) -> F64:
        here = spot(place)
        row: F64 = np.array([rtt_between_ms(here, there) for there in self._places], np.float64)
        row.setflags(write=False)  # it is handed out again and again
        return row

    def _work_out(self, policy: CompiledPolicy) -> Terms:
        allowed = self._mask(policy.allowed)
        preferred = self._mask(policy.preferred) & allowed if policy.preferred else None
        overflow = self._mask(policy.overflow) & allowed
        return Terms(policy, allowed, overflow, preferred, ~allowed)

    def _mask(self, regions: frozenset[str]) -> Mask:
        mask = np.array([name in regions for name in self.names], np.bool_)
        mask.setflags(write=False)
        return mask
