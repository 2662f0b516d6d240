"""Changes of many classes of sessions as few sentences, each told once. Pure."""

from collections.abc import Collection, Iterator, Mapping

import msgspec

from control_plane.policies.classes import SessionClass
from control_plane.policies.compare import Change, RegionChange, Setting
from control_plane.policies.shortest import Sessions, shortest


class ForSessions(msgspec.Struct, frozen=True):
    """What changes, and for whom."""

    sessions: Sessions
    change: Change
    but: tuple[Sessions, ...] = ()
    """Not for these."""


Whom = tuple[Sessions, tuple[Sessions, ...]]


class _Atom(msgspec.Struct, frozen=True):
    """The least that can change: a region that is gained or lost, whatever does it; a setting."""

    what: str
    about: str | Setting


def grouped(changes: Mapping[SessionClass, Change]) -> list[ForSessions]:
    """Everything that changes, the plainest sessions first.

    A region that two clauses take away is told once, for all sessions that it is taken from, and
    with the clause of those that are not told of before.

    Args:
        changes: of every class that there is.
    """
    classes_of: dict[_Atom, dict[SessionClass, None]] = {}
    for which, change in changes.items():
        for atom in _atoms(change):
            classes_of.setdefault(atom, {})[which] = None
    alike: dict[frozenset[SessionClass], list[_Atom]] = {}
    for atom, classes in classes_of.items():
        alike.setdefault(frozenset(classes), []).append(atom)
    told: dict[Whom, Change] = {}
    for atoms in alike.values():
        for whom, example in _whom(changes, classes_of[atoms[0]]):
            more = _of(changes[example], atoms)
            told[whom] = _both(told.get(whom, Change()), more)
    rows = [ForSessions(whom, change, but) for (whom, but), change in told.items()]
    return sorted(rows, key=lambda row: (_length(row.sessions), len(row.but)))


def _whom(
    every: Mapping[SessionClass, object], meant: Collection[SessionClass]
) -> Iterator[tuple[Whom, SessionClass]]:
    """Those that are meant, or all but the others, whatever takes fewer words."""
    told = shortest(every, meant)
    if len(told) > 1:
        others = shortest(every, [which for which in every if which not in meant])
        if len(others) < len(told):
            yield (Sessions(), tuple(one.sessions for one in others)), told[0].example
            return
    for one in told:
        yield (one.sessions, ()), one.example


def _atoms(change: Change) -> Iterator[_Atom]:
    yield from (_Atom("gained", one.region) for one in change.gained)
    yield from (_Atom("lost", one.region) for one in change.lost)
    yield from (_Atom("setting", one) for one in change.settings)


def _of(change: Change, atoms: list[_Atom]) -> Change:
    """These parts of a change, with the clauses that it has."""
    wanted = frozenset(atoms)

    def some(what: str, regions: tuple[RegionChange, ...]) -> tuple[RegionChange, ...]:
        return tuple(one for one in regions if _Atom(what, one.region) in wanted)

    return Change(
        some("gained", change.gained),
        some("lost", change.lost),
        tuple(one for one in change.settings if _Atom("setting", one) in wanted),
    )


def _both(one: Change, other: Change) -> Change:
    return Change(
        tuple(sorted({*one.gained, *other.gained}, key=lambda each: each.region)),
        tuple(sorted({*one.lost, *other.lost}, key=lambda each: each.region)),
        tuple(sorted({*one.settings, *other.settings}, key=lambda each: each.name)),
    )


def _length(sessions: Sessions) -> int:
    values = msgspec.structs.astuple(sessions)
    return sum(1 for value in values if value is not None)
