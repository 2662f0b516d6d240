"""Which rules are about a session: each is a bit, and every fact of a session is a set of bits.

So a session costs a handful of look-ups however many rules, tenants and countries there are.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from shared.policy.model import Facts
from shared.regions.model import Period, Rule, When

LANGUAGES = 1024
"""As callers write them, whose rules are remembered."""
Words = Callable[[When], frozenset[str] | None]


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of all rules."""

    of_word: Mapping[str, int]
    """For each word that rules name, the rules that name it."""
    of_all: int
    """The rules that do not look at it."""

    def of(self, word: str) -> int:
        """The rules that a session with this word meets."""
        return self.of_all | self.of_word.get(word, 0)

    def of_any(self, words: Iterable[str]) -> int:
        """The rules that a session with these words meets."""
        met = self.of_all
        for word in words:
            met |= self.of_word.get(word, 0)
        return met


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which rules are in force when: it changes at few moments."""

    changes_ms: tuple[int, ...]
    """In their order."""
    in_force: tuple[int, ...]
    """Before the first of them, after it, after the second, ..."""

    def at(self, at_ms: int) -> int:
        """The rules in force at a moment, which belongs to what begins with it."""
        return self.in_force[self.turn(at_ms)]

    def turn(self, at_ms: int) -> int:
        """How many changes there were up to a moment."""
        return bisect_right(self.changes_ms, at_ms)


class Matcher:
    """The rules of a world, by what they look at. Rule number n is bit n."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self.calendar = _calendar([rule.period for rule in rules])
        self.tenants = self._condition(lambda when: when.tenants)
        self.data = self._condition(lambda when: when.data)
        self.languages = self._condition(lambda when: when.languages)
        self.countries = self._condition(lambda when: when.countries)
        self.policies = self._condition(lambda when: when.policies)
        self._spoken = lru_cache(LANGUAGES)(self._of_language)

    def met(self, policy: str, facts: Facts, at_ms: int) -> int:
        """The rules that are about a session, as bits."""
        return (
            self.calendar.at(at_ms)
            & self.policies.of(policy)
            & self.tenants.of(facts.tenant)
            & self.data.of(facts.data)
            & self._spoken(facts.language)
            & self.countries.of_any(facts.countries)
        )

    def named(self, met: int) -> list[Rule]:
        """The rules themselves, in the order of the file."""
        return [self.rules[bit] for bit in bits(met)]

    def _of_language(self, language: str) -> int:
        return self.languages.of_any(prefixes(language))

    def _condition(self, words: Words) -> Condition:
        of_word: dict[str, int] = {}
        of_all = 0
        for bit, rule in enumerate(self.rules):
            named = words(rule.when)
            if named is None:
                of_all |= 1 << bit
            for word in named or ():
                of_word[word] = of_word.get(word, 0) | 1 << bit
        return Condition(of_word, of_all)


def bits(mask: int) -> Iterator[int]:
    """The numbers of the bits that are set, from the lowest."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def prefixes(language: str) -> list[str]:
    """What a rule may call a language: `en-gb` is `en` too."""
    parts = language.lower().split("-")
    return ["-".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _calendar(periods: Sequence[Period]) -> Calendar:
    ends = {moment for each in periods for moment in (each.from_ms, each.until_ms)}
    changes = tuple(sorted(moment for moment in ends if moment is not None))
    before = changes[0] - 1 if changes else 0
    in_force = (_held(periods, moment) for moment in (before, *changes))
    return Calendar(changes, tuple(in_force))


def _held(periods: Sequence[Period], at_ms: int) -> int:
    return sum(1 << bit for bit, each in enumerate(periods) if each.holds(at_ms))
