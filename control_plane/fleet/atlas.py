"""The regions of a world as columns: how far each is from a caller, which a policy allows."""

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
POLICIES = 256


class Atlas:
    """A world's regions in the order of their names, which is the order of every column here.

    Args:
        world: is kept, and read by nobody through this.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.names: tuple[str, ...] = tuple(sorted(world.regions))
        self.index: dict[str, int] = {name: at for at, name in enumerate(self.names)}
        self._places = tuple(spot(world.regions[name].place) for name in self.names)
        self._rtt: Memo[tuple[float, float], F64] = Memo(ORIGINS)
        self._masks: Memo[CompiledPolicy, tuple[Mask, Mask]] = Memo(POLICIES)

    def rtt_ms(self, place: Place) -> F64:
        """The round trip to expect to every region, by the very function that nodes use."""
        return self._rtt.of((place.lat, place.lon), lambda: self._row(place))

    def allowed(self, policy: CompiledPolicy) -> tuple[Mask, Mask]:
        """Which regions the policy allows, and which of them may take overflow."""
        return self._masks.of(policy, lambda: self._mask(policy))

    def _row(self, place: Place) -> F64:
        here = spot(place)
        row: F64 = np.array([rtt_between_ms(here, there) for there in self._places], np.float64)
        row.setflags(write=False)  # it is handed out again and again
        return row

    def _mask(self, policy: CompiledPolicy) -> tuple[Mask, Mask]:
        allowed = np.array([name in policy.allowed for name in self.names], np.bool_)
        overflow = np.array([name in policy.overflow for name in self.names], np.bool_)
        return allowed, overflow & allowed
