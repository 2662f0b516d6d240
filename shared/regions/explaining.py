"""Who may go where in a world, as a matrix. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from shared.errors import PolicyNotInEffect
from shared.policy import CompiledPolicy, Facts, Policies, compile_policies
from shared.regions.model import GENERAL, Kept, LedgerNeed, Rule, WhenForbidden, WhenFull, World


class Cell(msgspec.Struct, frozen=True):
    """What a region is to a session."""

    home: bool
    """Whether it may be its home region."""
    overflow: bool = False
    """Whether the session may go there though its home is elsewhere."""
    preferred: bool = False
    removed_by: str | None = None
    """The clause that took the region away."""


class KeptView(msgspec.Struct, frozen=True):
    """Where something may be stored."""

    regions: tuple[str, ...]
    days: int


class Row(msgspec.Struct, frozen=True):
    """A policy, the rules that hold beside it, and every region."""

    policy: str
    rules: tuple[str, ...]
    facts: dict[str, str | list[str]]
    """Of sessions that it is about; what is not named is none of theirs."""
    cells: Mapping[str, Cell]
    """By region; empty where the policy is not in effect."""
    not_in_effect: str | None = None
    when_full: WhenFull | None = None
    wait_s: float | None = None
    from_load: float | None = None
    max_added_rtt_ms: float | None = None
    max_added_cost_usd: float | None = None
    keep: Mapping[Kept, KeptView] = {}
    restricted: bool | None = None
    after_expiry_s: int | None = None
    when_forbidden: WhenForbidden | None = None
    recovery_s: float | None = None
    """None where its node says how long."""
    ledger: LedgerNeed | None = None


def matrix(
    world: World, at_ms: int, facts: Facts | None = None, policy: str | None = None
) -> list[Row]:
    """A row for every policy, and for every rule that can change it.

    Args:
        world: the regions, policies and rules.
        at_ms: when, in milliseconds since 1970.
        facts: of a session; None shows sessions that say nothing, and those of each rule.
        policy: only this one; None for all.

    Raises:
        Unsupported: there is no such policy.
    """
    policies = compile_policies(world)
    names = list(world.policies) if policy is None else [policies.of(policy).name]
    asked = [facts] if facts is not None else [Facts(), *map(facts_of, world.rules.values())]
    rows: dict[tuple[str, tuple[str, ...]], Row] = {}
    for name in names:
        for each in asked:
            row = _row(world, policies, name, each, at_ms)
            rows.setdefault((name, row.rules), row)
    return list(rows.values())


def facts_of(rule: Rule) -> Facts:
    """A session that a rule is about."""
    when = rule.when
    return Facts(
        tenant=min(when.tenants or [""]),
        data=min(when.data or [GENERAL]),
        language=min(when.languages or [""]),
        countries=frozenset(sorted(when.countries or ())[:1]),
    )


def _row(world: World, policies: Policies, name: str, facts: Facts, at_ms: int) -> Row:
    shown = dict(_shown(facts))
    try:
        found = policies.effective(name, facts, at_ms)
    except PolicyNotInEffect as error:
        return Row(name, (), shown, {}, not_in_effect=error.message)
    return Row(
        policy=name,
        rules=found.rules,
        facts=shown,
        cells=_cells(world.regions, found),
        when_full=found.when_full,
        wait_s=found.wait_s,
        from_load=found.from_load,
        max_added_rtt_ms=found.max_added_rtt_ms,
        max_added_cost_usd=found.max_added_cost_usd,
        keep={kept.what: KeptView(tuple(sorted(kept.regions)), kept.days) for kept in found.keep},
        restricted=found.restricted,
        after_expiry_s=found.after_expiry_s,
        when_forbidden=found.when_forbidden,
        recovery_s=found.recovery_s,
        ledger=found.ledger,
    )


def _cells(regions: Mapping[str, object], policy: CompiledPolicy) -> dict[str, Cell]:
    clauses = dict(policy.removed)
    return {
        name: Cell(
            home=name in policy.allowed,
            overflow=name in policy.overflow,
            preferred=name in policy.preferred,
            removed_by=clauses.get(name),
        )
        for name in regions
    }


def _shown(facts: Facts) -> Iterator[tuple[str, str | list[str]]]:
    if facts.tenant:
        yield "tenant", facts.tenant
    if facts.data != GENERAL:
        yield "data", facts.data
    if facts.language:
        yield "language", facts.language
    if facts.countries:
        yield "countries", sorted(facts.countries)


def clauses_of(rows: Sequence[Row]) -> list[str]:
    """Every clause that takes a region away in some row, in the order of their first."""
    found: dict[str, None] = {}
    for row in rows:
        for cell in row.cells.values():
            if cell.removed_by is not None:
                found[cell.removed_by] = None
    return list(found)
