"""What a policy and rules come to for a session, against a computation that remembers nothing."""

import dataclasses
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliovox.protocol.messages import Place
from shared.errors import Forbidden, PolicyNotInEffect, Unsupported
from shared.policy import CompiledPolicy, Facts, KeptIn, Policies, compile_policies
from shared.policy.policies import REMEMBERED
from shared.regions import EVERYWHERE, Overflow, Policy, Region, World
from shared.regions.model import Keep, Period, Rule, When
from tests.support.worlds import FACTS, TIMES, rules, worlds

NAMES = st.sampled_from(["p0", "p1"])
SETTINGS = (
    "prefer", "overflow", "when_full", "wait_s", "after_expiry_s", "when_forbidden", "recovery_s",
)  # fmt: skip
MOMENTS = st.sampled_from(TIMES)


def matches(rule: Rule, policy: str, facts: Facts, at_ms: int) -> bool:
    when, period = rule.when, rule.period
    said = facts.language.lower()
    return (
        (when.tenants is None or facts.tenant in when.tenants)
        and (when.data is None or facts.data in when.data)
        and (
            when.languages is None
            or any(said == word or said.startswith(f"{word}-") for word in when.languages)
        )
        and (when.countries is None or bool(when.countries & facts.countries))
        and (when.policies is None or policy in when.policies)
        and (period.from_ms is None or period.from_ms <= at_ms)
        and (period.until_ms is None or at_ms < period.until_ms)
    )


def lies_in(region: Region, zones: tuple[str, ...], world: World) -> bool:
    return any(zone == EVERYWHERE or region.jurisdiction in world.zones[zone] for zone in zones)


def clause(region: Region, part: Policy | Rule, world: World) -> str | None:
    if part.allow is not None and not lies_in(region, part.allow, world):
        return f"{part.name}.allow"
    if lies_in(region, part.forbid, world):
        return f"{part.name}.forbid"
    lacking = sorted(part.require - region.certifications)
    return f"{part.name}.require.{lacking[0]}" if lacking else None


def weight(rule: Rule) -> int:
    when = rule.when
    conditions = (when.tenants, when.data, when.languages, when.countries, when.policies)
    return int("".join("0" if one is None else "1" for one in conditions), 2)


def slowly(world: World, name: str, facts: Facts, at_ms: int) -> dict[str, Any]:
    """Region by region, clause by clause, setting by setting."""
    policy = world.policies[name]
    found = [rule for rule in world.rules.values() if matches(rule, name, facts, at_ms)]
    removed: dict[str, str] = {}
    for region in world.regions.values():
        for part in (policy, *found):
            if (why := clause(region, part, world)) is not None:
                removed[region.name] = why
                break
    allowed = {region for region in world.regions if region not in removed}

    def within(zones: tuple[str, ...]) -> set[str]:
        return {region for region in allowed if lies_in(world.regions[region], zones, world)}

    settings: dict[str, Any] = {key: getattr(policy, key) for key in SETTINGS}
    settings |= {("keep", what): one for what, one in policy.keep.items()}
    ranks = dict.fromkeys(settings, -1)
    for rule in found:
        sets = {key: getattr(rule, key) for key in SETTINGS}
        sets |= {("keep", what): one for what, one in rule.keep.items()}
        for key, value in sets.items():
            if value is not None and weight(rule) > ranks.get(key, -1):
                settings[key], ranks[key] = value, weight(rule)
    overflow: Overflow = settings["overflow"]
    restricted = any(part.restricted for part in (policy, *found))
    keep = {key[1]: one for key, one in settings.items() if isinstance(key, tuple)}
    return {
        "name": name,
        "version": "v",
        "allowed": allowed,
        "removed": tuple(sorted(removed.items())),
        "rules": tuple(rule.name for rule in found),
        "preferred": within(settings["prefer"]),
        "overflow": within(overflow.zones),
        "max_added_rtt_ms": overflow.max_added_rtt_ms,
        "max_added_cost_usd": overflow.max_added_cost_usd,
        "from_load": overflow.from_load,
        "when_full": settings["when_full"],
        "wait_s": settings["wait_s"],
        "restricted": restricted,
        "after_expiry_s": 0 if restricted else settings["after_expiry_s"],
        "when_forbidden": settings["when_forbidden"],
        "recovery_s": settings["recovery_s"],
        "ledger": "required" if "required" in {p.ledger for p in (policy, *found)} else "wanted",
        "keep": tuple(
            KeptIn(what, frozenset(within(one.zones)), one.days)
            for what, one in sorted(keep.items())
        ),
    }


@given(worlds(), st.lists(st.tuples(NAMES, FACTS, MOMENTS), min_size=1, max_size=12))
def test_it_is_what_a_slow_computation_finds(
    world: World, asked: list[tuple[str, Facts, int]]
) -> None:
    """Several sessions, so that what is remembered for one is not told to another."""
    policies = compile_policies(world)
    for name, facts, at_ms in (*asked, *asked):
        period = world.policies[name].period
        try:
            found = policies.effective(name, facts, at_ms)
        except PolicyNotInEffect:
            assert not period.holds(at_ms)
            continue
        assert period.holds(at_ms)
        assert {one.name: getattr(found, one.name) for one in dataclasses.fields(found)} == slowly(
            world, name, facts, at_ms
        )


@given(worlds(), NAMES, FACTS, MOMENTS)
def test_no_rule_widens_what_the_policy_allows(
    world: World, name: str, facts: Facts, at_ms: int
) -> None:
    policies = compile_policies(at_all_times(world))
    found, alone = policies.effective(name, facts, at_ms), policies.of(name)
    assert found.allowed <= alone.allowed
    assert found.overflow | found.preferred <= found.allowed
    assert found.allowed | dict(found.removed).keys() == world.regions.keys()
    assert not found.allowed & dict(found.removed).keys()


@given(worlds(), rules("extra"), NAMES, FACTS, MOMENTS)
def test_a_further_rule_never_widens(
    world: World, extra: Rule, name: str, facts: Facts, at_ms: int
) -> None:
    world = at_all_times(world)
    more = msgspec.structs.replace(world, rules={**world.rules, "extra": extra})
    before = compile_policies(world).effective(name, facts, at_ms)
    after = compile_policies(more).effective(name, facts, at_ms)
    assert after.allowed <= before.allowed


def at_all_times(world: World) -> World:
    policies = {
        name: msgspec.structs.replace(policy, period=Period())
        for name, policy in world.policies.items()
    }
    return msgspec.structs.replace(world, policies=policies)


# --- single cases, in words ---


def small(*extra: Rule, **policy: Any) -> Policies:
    regions = {
        name: Region(name, Place(0, 0), "UTC", law, certifications=frozenset(certified))
        for name, law, certified in (("n", "no", ["iso"]), ("i", "it", []), ("u", "us", ["hipaa"]))
    }
    zones = {
        "europe": frozenset({"no", "it"}),
        "usa": frozenset({"us"}),
        EVERYWHERE: frozenset({"no", "it", "us"}),
    }
    fields = {"allow": (EVERYWHERE,), "overflow": Overflow((EVERYWHERE,))} | policy
    world = World(
        "v", regions, zones, {"p": Policy("p", **fields)}, "p", {rule.name: rule for rule in extra}
    )
    return compile_policies(world)


def now(policies: Policies, at_ms: int = 0, **facts: Any) -> CompiledPolicy:
    return policies.effective("p", Facts(**facts), at_ms)


def test_each_region_that_is_not_allowed_names_the_first_clause_that_took_it() -> None:
    rule = Rule("health", When(data=frozenset({"health"})), require=frozenset({"iso", "hipaa"}))
    found = now(small(rule, forbid=("usa",)), data="health")
    assert found.removed == (
        ("i", "health.require.hipaa"), ("n", "health.require.hipaa"), ("u", "p.forbid"),
    )  # fmt: skip
    assert (found.allowed, found.rules) == (frozenset(), ("health",))


@pytest.mark.parametrize(
    ("language", "about"),
    [("en", True), ("en-GB", True), ("EN", True), ("eng", False), ("e", False), ("", False)],
)
def test_a_language_stands_for_its_regional_forms(language: str, about: bool) -> None:
    rule = Rule("english", When(languages=frozenset({"en"})), forbid=("usa",))
    assert ("english" in now(small(rule), language=language).rules) == about


@pytest.mark.parametrize(
    ("at_ms", "about"), [(9, False), (10, True), (19, True), (20, False), (-(10**15), False)]
)
def test_a_rule_is_in_force_from_its_first_moment_up_to_its_last(at_ms: int, about: bool) -> None:
    rule = Rule("dated", period=Period(10, 20), forbid=("usa",))
    assert (now(small(rule), at_ms).rules == ("dated",)) == about


@pytest.mark.parametrize(("at_ms", "said"), [(9, "begins at"), (20, "ended at")])
def test_a_policy_outside_of_its_period_is_refused(at_ms: int, said: str) -> None:
    policies = small(period=Period(10, 20))
    assert now(policies, 10).name == now(policies, 19).name == "p"
    with pytest.raises(PolicyNotInEffect, match=said) as refused:
        now(policies, at_ms)
    assert isinstance(refused.value, Forbidden)
    assert (refused.value.code, refused.value.field) == ("policy_not_in_effect", "policy")
    assert refused.value.remedy


def test_an_unknown_policy_is_named_beside_the_known_ones() -> None:
    with pytest.raises(Unsupported) as refused:
        small().effective("q", Facts(), 0)
    assert (refused.value.value, refused.value.remedy) == ("q", "use one of p")


def test_the_most_precise_rule_sets_whatever_order_they_stand_in() -> None:
    tenant = Rule("tenant", When(tenants=frozenset({"t"})), wait_s=1.0)
    rest = Rule(
        "rest",
        When(None, *(frozenset({word}) for word in ("d", "en", "no", "p"))),
        wait_s=2.0,
        when_full="wait",
    )
    who: dict[str, Any] = {"tenant": "t", "data": "d", "language": "en", "countries": {"no"}}
    for order in ((tenant, rest), (rest, tenant)):
        found = now(small(*order), **who)
        assert (found.wait_s, found.when_full) == (1.0, "wait")  # each setting by itself
        assert now(small(*order), **(who | {"tenant": "u"})).wait_s == 2.0


def test_what_may_be_kept_stays_where_the_session_may_be() -> None:
    rule = Rule("r", forbid=("usa",), keep={"audio": Keep((EVERYWHERE,), 30)})
    found = now(small(rule, keep={"audio": Keep((), 1), "recovery": Keep(("europe",), 2)}))
    everywhere = frozenset({"n", "i"})
    assert found.keep == (KeptIn("audio", everywhere, 30), KeptIn("recovery", everywhere, 2))


def test_what_is_remembered_is_bounded_and_the_same_each_time() -> None:
    many = [Rule(f"r{n}", When(tenants=frozenset({f"t{n}"})), wait_s=float(n)) for n in range(2000)]
    policies = small(*many)
    for tenant in range(2000):
        assert now(policies, tenant=f"t{tenant}").wait_s == tenant
    assert policies._combined.cache_info().currsize == REMEMBERED
    assert now(policies, tenant="nobody") is now(policies, tenant="somebody")
