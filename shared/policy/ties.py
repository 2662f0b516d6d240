"""Rules that are equally precise, can meet in one session, and contradict each other there."""

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import NamedTuple

from shared.policy.matching import prefixes
from shared.policy.precedence import precedence
from shared.policy.reachable import ONE_COUNTRY
from shared.regions.model import Keep, Overflow, Period, Policy, Rule, World


class Tie(NamedTuple):
    """Two rules that set the same thing differently, and neither outranks the other."""

    first: str
    second: str
    """Later in the file."""
    setting: tuple[str, ...]
    """`when_full`, or (`keep`, `audio`)."""


def ties(world: World) -> Iterator[Tie]:
    """All of them."""
    settings = {name: _settings(rule) for name, rule in world.rules.items()}
    setting = [rule for rule in world.rules.values() if settings[rule.name]]
    for one, other in combinations(setting, 2):
        mine, its = settings[one.name], settings[other.name]
        differ = sorted(key for key in mine.keys() & its.keys() if mine[key] != its[key])
        if differ and precedence(one) == precedence(other) and can_meet(one, other, world):
            yield from (Tie(one.name, other.name, key) for key in differ)


def can_meet(one: Rule, other: Rule, world: World) -> bool:
    """Whether a session can be, at some time, one that both rules are about."""
    a, b = one.when, other.when
    return (
        _share(a.tenants, b.tenants)
        and _share(a.data, b.data)
        and _share(a.languages, b.languages, _one_language)
        and any(_meet_under(policy, one, other) for policy in world.policies.values())
    )


def _meet_under(policy: Policy, one: Rule, other: Rule) -> bool:
    named = all(
        rule.when.policies is None or policy.name in rule.when.policies for rule in (one, other)
    )
    in_two = policy.country_from not in ONE_COUNTRY  # then any two countries can be one caller's
    near = in_two or _share(one.when.countries, other.when.countries)
    return named and near and _overlap(policy.period, one.period, other.period)


def _one_word(some: frozenset[str], others: frozenset[str]) -> bool:
    return not some.isdisjoint(others)


def _share(
    some: frozenset[str] | None,
    others: frozenset[str] | None,
    alike: Callable[[frozenset[str], frozenset[str]], bool] = _one_word,
) -> bool:
    """Whether one session can meet both conditions; None is met by all."""
    return some is None or others is None or alike(some, others)


def _one_language(some: frozenset[str], others: frozenset[str]) -> bool:
    """Whether a language can be called by a word of each: `en-gb` is `en` too."""
    wide = {prefix for word in some for prefix in prefixes(word)}
    far = {prefix for word in others for prefix in prefixes(word)}
    return bool(some & far or others & wide)


def _overlap(*periods: Period) -> bool:
    begins = [each.from_ms for each in periods if each.from_ms is not None]
    ends = [each.until_ms for each in periods if each.until_ms is not None]
    return not begins or not ends or max(begins) < min(ends)


def _settings(rule: Rule) -> Mapping[tuple[str, ...], object]:
    """What a rule sets, as values that are equal where they say the same."""
    found: dict[tuple[str, ...], object] = {
        ("prefer",): None if rule.prefer is None else frozenset(rule.prefer),
        ("overflow",): None if rule.overflow is None else _plain(rule.overflow),
        ("when_full",): rule.when_full,
        ("wait_s",): rule.wait_s,
        ("after_expiry_s",): rule.after_expiry_s,
        ("when_forbidden",): rule.when_forbidden,
        ("recovery_s",): rule.recovery_s,
    }
    found |= {("keep", what): _plain(kept) for what, kept in rule.keep.items()}
    return {key: value for key, value in found.items() if value is not None}


def _plain(section: Overflow | Keep) -> tuple[object, ...]:
    fields = {name: getattr(section, name) for name in section.__struct_fields__}
    return (frozenset(fields.pop("zones")), *fields.values())
