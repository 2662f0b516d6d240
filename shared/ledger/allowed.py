"""What policies come to, as JSON that outlives them: for whoever checks a place later (pure)."""

from hashlib import sha256

import msgspec

from shared.ledger.canonical import digest
from shared.policy import CompiledPolicy
from shared.policy.clauses import taken
from shared.regions.model import Policy, Rule, World


class When(msgspec.Struct, frozen=True):
    """Which sessions a rule is about; None for all."""

    tenants: tuple[str, ...] | None
    data: tuple[str, ...] | None
    languages: tuple[str, ...] | None
    countries: tuple[str, ...] | None
    policies: tuple[str, ...] | None


class Clauses(msgspec.Struct, frozen=True):
    """What a policy or rule takes away, and when it is in force."""

    removed: dict[str, str]
    """Regions, and the clause that takes each away."""
    from_ms: int | None
    until_ms: int | None
    when: When | None = None
    """Of a rule; None for a policy."""


class WorldClauses(msgspec.Struct, frozen=True):
    """One version of regions.yaml, worked out into regions."""

    version: str
    text_sha256: str
    """Of the file, word for word; the version is its beginning."""
    regions: tuple[str, ...]
    policies: dict[str, Clauses]
    rules: dict[str, Clauses]


class Published(msgspec.Struct, frozen=True):
    """A version that the centre put in force at a moment. `sig` is its own over all the rest."""

    world: WorldClauses
    plane: str
    at_ms: int
    good_for_ms: int
    """After the next version came, nodes that had not heard of it might go by this one so long."""
    sig: str = ""


def clauses_of(world: World, text: str) -> WorldClauses:
    """All policies and rules of a world.

    Args:
        world: that was read.
        text: what it was read from, word for word.
    """
    return WorldClauses(
        world.version,
        sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        tuple(sorted(world.regions)),
        {name: _clauses(one, world) for name, one in world.policies.items()},
        {name: _clauses(one, world) for name, one in world.rules.items()},
    )


def allowed_digest(policy: CompiledPolicy) -> str:
    """Names what a policy came to for a session: by which version and rules, and which regions."""
    return digest(
        {
            "policy": policy.name,
            "policy_version": policy.version,
            "rules": sorted(policy.rules),
            "allowed": sorted(policy.allowed),
        }
    )


def _clauses(by: Policy | Rule, world: World) -> Clauses:
    when = None
    if isinstance(by, Rule):
        named = {name: _words(getattr(by.when, name)) for name in When.__struct_fields__}
        when = When(**named)
    return Clauses(dict(taken(by, world)), by.period.from_ms, by.period.until_ms, when)


def _words(words: frozenset[str] | None) -> tuple[str, ...] | None:
    return None if words is None else tuple(sorted(words))
