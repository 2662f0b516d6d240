"""Some classes of sessions in few words: those with the fewest conditions that say it. Pure.

A pattern fixes some of a class's five properties. It may stand for the classes that are meant where
all classes that it fits are meant; so nothing is said of sessions that it is not true of.
"""

from collections.abc import Collection, Hashable, Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import msgspec

from control_plane.policies.classes import SessionClass, Span

_PROPERTIES = len(SessionClass._fields)
_COUNTRIES, _LANGUAGES, _SPAN = map(SessionClass._fields.index, ("countries", "languages", "span"))
Fixed = tuple[int, ...]
"""Which properties a pattern fixes; its values are in the same order."""
Values = tuple[Any, ...]
_ONLY = "only"
"""Before a set of countries: and in no other that rules name."""


class Sessions(msgspec.Struct, frozen=True):
    """Whom a change is about. None: whatever it is; nothing: none that rules name.

    A country may read `de+us`: who counts as being in both; or `de only`: and in no other that
    rules name. A language may read `en only`: and none more precise that rules name.
    """

    tenants: tuple[str, ...] | None = None
    data: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    countries: tuple[str, ...] | None = None
    from_ms: int | None = None
    until_ms: int | None = None


class Told(NamedTuple):
    """Sessions in words, and one of the classes that nothing before it told of."""

    sessions: Sessions
    example: SessionClass


class _Pattern(NamedTuple):
    fixed: Fixed
    values: Values
    example: SessionClass


def shortest(every: Collection[SessionClass], meant: Collection[SessionClass]) -> list[Told]:
    """The fewest and plainest words for some classes.

    Args:
        every: class that there is.
        meant: those of them to be told.
    """
    left, all_meant = dict.fromkeys(meant), frozenset(meant)
    found: list[_Pattern] = []
    for fixed in _from_few_to_many():
        if not left:
            break
        for values, fits in _fitting(every, fixed).items():
            new = [which for which in fits if which in left]
            if new and all_meant.issuperset(fits):
                found.append(_Pattern(fixed, values, new[0]))
                for which in new:
                    del left[which]
    for at in reversed(range(_PROPERTIES)):
        found = _joined(found, at)
    spoken = frozenset(word for which in every for word in which.languages)
    return [Told(_sessions(one, spoken), one.example) for one in found]


def _from_few_to_many() -> Iterator[Fixed]:
    for count in range(_PROPERTIES + 1):
        yield from combinations(range(_PROPERTIES), count)


def _fitting(every: Collection[SessionClass], fixed: Fixed) -> dict[Values, list[SessionClass]]:
    """Every way to fix these properties, and the classes that fit."""
    found: dict[Values, list[SessionClass]] = {}
    for which in every:
        for values in _values(which, fixed):
            found.setdefault(values, []).append(which)
    return found


def _values(which: SessionClass, fixed: Fixed) -> Iterator[Values]:
    """How a class fits. Callers in two countries fit what is said of either."""
    ways: list[Values] = [which.countries]
    if _COUNTRIES in fixed and which.countries:
        if len(which.countries) > 1:
            ways = [*((one,) for one in dict.fromkeys(which.countries)), *ways]
        else:
            ways.append((_ONLY, *which.countries))
    for countries in ways:
        yield tuple(countries if at == _COUNTRIES else which[at] for at in fixed)


def _joined(found: Sequence[_Pattern], at: int) -> list[_Pattern]:
    """Patterns that differ in this property only, as one."""
    merged: list[_Pattern] = []
    latest: dict[Hashable, int] = {}
    for one in found:
        if at not in one.fixed:
            merged.append(one)
            continue
        place = one.fixed.index(at)
        rest = (one.fixed, one.values[:place], one.values[place + 1 :])
        before = latest.get(rest)
        if before is not None:
            joint = _together(at, merged[before].values[place], one.values[place])
            if joint is not None:
                values = (*one.values[:place], joint, *one.values[place + 1 :])
                merged[before] = merged[before]._replace(values=values)
                continue
        latest[rest] = len(merged)
        merged.append(one)
    return merged


def _together(at: int, one: Any, other: Any) -> Any:
    """Two values of one property as one; None where that is none."""
    if at == _SPAN:
        joins = one.until_ms is not None and one.until_ms == other.from_ms
        return Span(one.from_ms, other.until_ms) if joins else None
    if at == _COUNTRIES:
        alike = one and other and len(one) == len(other) and one[:-1] == other[:-1]
        return (*one[:-1], one[-1] | other[-1]) if alike else None
    return one | other if one and other else None


def _sessions(pattern: _Pattern, spoken: frozenset[str]) -> Sessions:
    said = Sessions()
    for at, value in zip(pattern.fixed, pattern.values, strict=True):
        name = SessionClass._fields[at]
        if at == _SPAN:
            more = {"from_ms": value.from_ms, "until_ms": value.until_ms}
        elif at == _LANGUAGES:
            more = {name: tuple(_language(one, value, spoken) for one in sorted(value))}
        else:
            more = {name: _countries(value) if at == _COUNTRIES else tuple(sorted(value))}
        said = msgspec.structs.replace(said, **more)
    return said


def _language(word: str, told: frozenset[str], spoken: frozenset[str]) -> str:
    """`en`; `en only`, where `en-gb` is another matter: whoever says `en` means that too."""
    finer = {one for one in spoken if one.startswith(f"{word}-")}
    return word if finer <= told else f"{word} only"


def _countries(sets: Values) -> tuple[str, ...]:
    """`de`; `de only`, where `de+us` is another matter; `de+us` for who is in both."""
    if len(sets) < 2:
        return tuple(sorted(sets[0])) if sets else ()
    if sets[0] == _ONLY:
        return tuple(f"{one} only" for one in sorted(sets[1]))
    both = ((one, other) for one in sets[0] for other in sets[1] if one != other)
    return tuple(sorted({"+".join(sorted(pair)) for pair in both}))
