"""What a node admits callers by: a bundle, opened. Pure."""

import hmac
from dataclasses import dataclass, replace

from heliovox.protocol.messages import Place
from shared.bundle import BundleRefused, valid_until_s
from shared.exchange import Bundle, KeyGrant
from shared.keys import key_digest
from shared.policy import CompiledPolicy, Policies, compile_policies, home_region
from shared.regions.file import read_world
from shared.regions.model import Policy, Rule, World
from shared.regions.problems import RegionsRefused

ANY = "*"


@dataclass(frozen=True, slots=True)
class Rules:
    """Keys, policies and regions as the centre signed them."""

    bundle: Bundle
    world: World
    policies: Policies
    longest_after_s: float = 0.0
    """For how long after its expiry any session may be let in by it."""

    @property
    def until_s(self) -> float:
        """Until when a node may admit by them; seconds since 1970."""
        return valid_until_s(self.bundle)

    def who(self, key: str) -> KeyGrant | None:
        """Whose key it is, or None. Looks at every key, found or not."""
        digest = key_digest(key)
        found: KeyGrant | None = None
        for grant in self.bundle.keys:
            if hmac.compare_digest(grant.sha256, digest):
                found = grant
        return found

    def policy_for(self, grant: KeyGrant, asked: str | None) -> str:
        """The policy that a caller gets: the one he asks for, or his key's default."""
        if asked is not None:
            return asked
        default = grant.policies[0] if grant.policies else ANY
        return self.policies.default if default == ANY else default

    def home(self, policy: CompiledPolicy, place: Place | None, here: str) -> str | None:
        """The caller's home region, as seen from a node that stands `here` and serves."""
        where = self.world.regions[here].place if place is None else place
        in_service = {*self.bundle.in_service, here}  # it may be the first of its region
        return home_region(policy, where, self.world, in_service)


def permits(grant: KeyGrant, policy: str) -> bool:
    """Whether a key may be used under a policy."""
    return policy in grant.policies or ANY in grant.policies


def open_rules(bundle: Bundle, region: str, known: Rules | None = None) -> Rules:
    """The bundle's rules for a node of `region`.

    Args:
        bundle: verified.
        region: where the node stands.
        known: earlier rules; where the world did not change, it is not read again.

    Raises:
        BundleRefused: a world that cannot be read, or one without the node's own region.
    """
    if known is not None and known.bundle.world == bundle.world:
        return replace(known, bundle=bundle)
    try:
        world = read_world(bundle.world, "the bundle's world", check_time_zones=False)
    except RegionsRefused as error:
        raise BundleRefused(f"the bundle's world is refused: {error}") from error
    if region not in world.regions:
        raise BundleRefused(
            "the bundle's world lacks this node's region",
            field="region",
            value=region,
            remedy=f"use one of {', '.join(world.regions)}, or publish a world with it",
        )
    return Rules(bundle, world, compile_policies(world), _longest_after_s(world))


def _longest_after_s(world: World) -> float:
    parts: list[Policy | Rule] = [*world.policies.values(), *world.rules.values()]
    return max((part.after_expiry_s or 0 for part in parts if not part.restricted), default=0)
