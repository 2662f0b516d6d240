"""What holds for a session on both sides: as it was decided, and by the proposed world. Pure."""

from functools import lru_cache
from typing import NamedTuple

from control_plane.placement.record import Decided
from control_plane.policies.stage import Worlds
from heliovox.protocol.messages import Place
from shared.errors import VoiceError
from shared.geography import rtt_ms
from shared.policy import CompiledPolicy, Facts, compile_policies
from shared.regions.model import Region, World

_CHOOSING = ("allowed", "overflow", "max_added_rtt_ms", "max_added_cost_usd", "preferred",
             "from_load")  # fmt: skip
"""What of a policy has a say in where a session goes."""
_REMEMBERED = 65_536


class Both(NamedTuple):
    """One session's terms."""

    recorded: CompiledPolicy | None
    """None where the records do not hold the world that was decided by."""
    proposed: CompiledPolicy | None
    """None where the policy is not there, or not in effect."""
    refusal: str
    """Its code, then."""
    alike: bool
    """Whether both choose alike on the same fleet."""


class TermsOfBoth:
    """Compiles, compares, remembers.

    Args:
        world: the proposed one.
        worlds: those that were decided by.
    """

    def __init__(self, world: World, worlds: Worlds) -> None:
        self._world, self._worlds = world, worlds
        self._policies = compile_policies(world)
        self._alike = lru_cache(_REMEMBERED)(self._are_alike)
        self._rtt = lru_cache(_REMEMBERED)(_rtt_ms)

    def of(self, decided: Decided) -> Both:
        """The terms of a session that was decided on."""
        recorded = self._recorded(decided)
        proposed, refusal = None, ""
        try:
            proposed = self.proposed(decided)
        except VoiceError as error:
            refusal = error.code
        alike = recorded is not None and proposed is not None
        return Both(
            recorded, proposed, refusal,
            alike=alike and self._alike(decided.policy_version, recorded, proposed),
        )  # fmt: skip

    def proposed(self, decided: Decided) -> CompiledPolicy:
        """Raises Unsupported, PolicyNotInEffect."""
        ask = decided.ask
        return self._policies.effective(decided.policy, ask.facts, ask.at_ms)

    def allows(self, policy: str, facts: Facts, at_ms: int, region: str) -> bool:
        """Whether the proposed policy allows a session to be in a region."""
        try:
            return region in self._policies.effective(policy, facts, at_ms).allowed
        except VoiceError:
            return False

    def rtt_ms(self, place: Place, region: str, version: str) -> float:
        """To a region of the proposed world, or else of the one that was decided by."""
        found = self._region(region, version)
        return 0.0 if found is None else self._rtt(place, found.place)

    def hourly_cost_usd(self, region: str, version: str) -> float:
        """Likewise: what is paid is what the proposed file says, on both sides."""
        found = self._region(region, version)
        return 0.0 if found is None else found.hourly_cost_usd

    def _region(self, name: str, version: str) -> Region | None:
        if name in self._world.regions:
            return self._world.regions[name]
        known = self._worlds.of(version)
        return None if known is None else known[0].regions.get(name)

    def _recorded(self, decided: Decided) -> CompiledPolicy | None:
        known = self._worlds.of(decided.policy_version)
        if known is None:
            return None
        try:
            return known[1].effective(decided.policy, decided.ask.facts, decided.ask.at_ms)
        except VoiceError:
            return None

    def _are_alike(self, version: str, recorded: CompiledPolicy, proposed: CompiledPolicy) -> bool:
        known = self._worlds.of(version)
        if known is None or known[0].ranking != self._world.ranking:
            return False
        if any(getattr(recorded, name) != getattr(proposed, name) for name in _CHOOSING):
            return False
        before, after = known[0].regions, self._world.regions
        return all(_ground(before[name]) == _ground(after[name]) for name in recorded.allowed)


def _ground(region: Region) -> tuple[Place, float]:
    return region.place, region.hourly_cost_usd


def _rtt_ms(a: Place, b: Place) -> float:
    return rtt_ms(a, b)
