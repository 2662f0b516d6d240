"""The sessions that two worlds' rules can tell apart, each kind once. Pure.

Whatever a tenant is called, it meets one of a few sets of rules; so do data, language and country,
and the moment. A class is one choice of each; all that can happen happens in one of the classes.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from itertools import combinations_with_replacement, product
from math import prod
from typing import NamedTuple

from shared.errors import InvalidMessage
from shared.policy.matching import Condition, Matcher, prefixes
from shared.policy.reachable import ONE_COUNTRY
from shared.regions.model import Policy, World

MOST = 200_000
"""Classes of one policy that are looked at: some seconds' work."""

Words = frozenset[str]


class Span(NamedTuple):
    """From a moment up to another, which is left out."""

    from_ms: int | None
    """None: the first that is looked at."""
    until_ms: int | None
    """None: for ever."""


class SessionClass(NamedTuple):
    """Sessions that no rule of either world tells apart; an empty set of words: no named one."""

    tenants: Words
    data: Words
    languages: Words
    countries: tuple[Words, ...]
    """That the caller is in: one of each set, and no other that rules name."""
    span: Span


class Met(NamedTuple):
    """A class, and the rules of both worlds that it meets, as bits in the order of each."""

    which: SessionClass
    before: int
    after: int


class Pair:
    """The rules of two worlds, looked at together.

    Args:
        before: one world.
        after: another.
        since_ms: what was before this moment is not looked at; None looks at all times.
    """

    def __init__(self, before: World, after: World, since_ms: int | None = None) -> None:
        first, second = tuple(before.rules.values()), tuple(after.rules.values())
        self._matcher = Matcher((*first, *second))
        self._first = (1 << len(first)) - 1
        self._shift = len(first)
        self._since_ms = since_ms

    def classes(self, before: Policy, after: Policy, most: int = MOST) -> Iterator[Met]:
        """Every class of sessions under a policy of both worlds.

        Raises:
            InvalidMessage: there are more than `most`.
        """
        matcher, of_policy = self._matcher, self._matcher.policies.of(before.name)
        in_two = {before.country_from, after.country_from} - ONE_COUNTRY
        spans = self._spans((before, after))
        tenants = _by_mask(matcher.tenants, of_policy, matcher.tenants.of)
        data = _by_mask(matcher.data, of_policy, matcher.data.of)
        spoken = _by_mask(matcher.languages, of_policy, self._of_language)
        countries = _countries(matcher.countries, of_policy, several=bool(in_two))
        _check_count((tenants, data, spoken, countries, spans), before.name, most)
        for (who, a), (what, b), (tongue, c), (where, d) in product(
            tenants, data, spoken, countries
        ):
            rules = of_policy & a & b & c & d
            for span, in_force in spans:
                met = rules & in_force
                which = SessionClass(who, what, tongue, where, span)
                yield Met(which, met & self._first, met >> self._shift)

    def _of_language(self, word: str) -> int:
        return self._matcher.languages.of_any(prefixes(word))

    def _spans(self, policies: Iterable[Policy]) -> list[tuple[Span, int]]:
        """Times between which nothing changes, and the rules in force in each."""
        calendar, since_ms = self._matcher.calendar, self._since_ms
        moments = set(calendar.changes_ms)
        for one in policies:
            moments |= {at for at in (one.period.from_ms, one.period.until_ms) if at is not None}
        ends = sorted(at for at in moments if since_ms is None or at > since_ms)
        found = []
        for begin, end in zip([None, *ends], [*ends, None], strict=True):
            at_ms = since_ms if begin is None else begin
            at = 0 if at_ms is None else bisect_right(calendar.changes_ms, at_ms)
            found.append((Span(begin, end), calendar.in_force[at]))
        return found


def _check_count(choices: Sequence[Sized], policy: str, most: int) -> None:
    total = prod(map(len, choices))
    if total > most:
        raise InvalidMessage(
            f"policy {policy} meets rules in {total} ways, and {most} can be looked at",
            field="rules",
            value=policy,
            remedy="compare fewer rules at a time, or use fewer words in them",
        )


def _by_mask(
    condition: Condition, of_policy: int, met: Callable[[str], int]
) -> list[tuple[Words, int]]:
    """The words that rules name, those together that meet the same rules; the rest is no word."""
    groups: dict[int, set[str]] = {condition.of_all & of_policy: set()}
    for word in condition.of_word:
        groups.setdefault(met(word) & of_policy, set()).add(word)
    rest = condition.of_all & of_policy
    return [(Words() if mask == rest else Words(words), mask) for mask, words in groups.items()]


def _countries(
    condition: Condition, of_policy: int, *, several: bool
) -> list[tuple[tuple[Words, ...], int]]:
    """Likewise; callers who count as being in two countries meet the rules of both.

    Two that meet no more rules than one of them are listed too: they are no callers of the other.
    """
    single = _by_mask(condition, of_policy, condition.of)
    found: list[tuple[tuple[Words, ...], int]] = [
        ((words,) if words else (), mask) for words, mask in single
    ]
    if several:
        named = [(words, mask) for words, mask in single if words]
        for (some, a), (others, b) in combinations_with_replacement(named, 2):
            if some is not others or len(some) > 1:
                found.append(((some, others), a | b))
    return found
