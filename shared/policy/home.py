"""Where a caller is at home, and where he may be beyond it. Always within what is allowed."""

from collections.abc import Collection

from heliovox.protocol.messages import Place
from shared.geography import rtt_ms
from shared.policy.model import CompiledPolicy
from shared.regions.model import World

ROUNDING = 1e-9
"""Differences that exceed a limit by no more are at the limit: 1.1 - 0.6 comes to more than 0.5."""


def home_region(
    policy: CompiledPolicy, place: Place, world: World, in_service: Collection[str]
) -> str | None:
    """The nearest allowed region in service; of equally near ones the smaller name.

    Where a region that the policy prefers is in service, it is the nearest of those.

    Args:
        policy: says which regions may be.
        place: where the caller is.
        world: says where the regions are.
        in_service: the regions in which nodes stand; names that the world lacks are passed over.

    Returns:
        None where no allowed region is in service.
    """
    able = policy.allowed.intersection(in_service).intersection(world.regions)
    preferred = able & policy.preferred
    return min(
        preferred or able,
        key=lambda name: (rtt_ms(place, world.regions[name].place), name),
        default=None,
    )


def in_reach(
    policy: CompiledPolicy,
    home: str,
    region: str,
    added_rtt_ms: float,
    added_cost_usd: float = 0.0,
) -> bool:
    """Whether a session at home in one region may be in another (or the same) one.

    Args:
        policy: its allowed set comes first.
        home: the caller's home region.
        region: where the session would be.
        added_rtt_ms: the round trip to there, over the one to the home region.
        added_cost_usd: what a node's hour costs there, over what it costs at home.
    """
    if region not in policy.allowed:
        return False
    if region == home:
        return True
    near = _within(added_rtt_ms, policy.max_added_rtt_ms)
    cheap = _within(added_cost_usd, policy.max_added_cost_usd)
    return region in policy.overflow and near and cheap


def _within(added: float, most: float | None) -> bool:
    return most is None or added <= most + ROUNDING
