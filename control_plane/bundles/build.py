"""What nodes admit by, put together from what the centre holds (pure)."""

from collections.abc import Iterable
from hashlib import sha256

import msgspec

from shared.exchange import Bundle, KeyGrant


def make_bundle(
    *,
    policy_version: str,
    world: str,
    keys: Iterable[KeyGrant],
    in_service: Iterable[str],
    now_s: float,
    life_s: float,
) -> Bundle:
    """The bundle of now. Equal contents have equal versions, whichever control plane makes it.

    Args:
        policy_version: of the world.
        world: regions.yaml, word for word.
        keys: the valid ones.
        in_service: regions in which nodes stand.
        now_s: seconds since 1970.
        life_s: how long it is good for.
    """
    grants = tuple(sorted(keys, key=lambda grant: grant.sha256))
    regions = tuple(sorted(in_service))
    return Bundle(
        version=bundle_version(policy_version, grants, regions),
        policy_version=policy_version,
        world=world,
        keys=grants,
        in_service=regions,
        iat=int(now_s),
        exp=int(now_s + life_s),
    )


def bundle_version(
    policy_version: str, keys: tuple[KeyGrant, ...], in_service: tuple[str, ...]
) -> str:
    """The first 12 hex digits of the contents' SHA-256; the world counts by its own version."""
    contents = msgspec.json.encode([policy_version, keys, in_service])
    return sha256(contents).hexdigest()[:12]
