"""What is done to the world, and in which order. Pure: the seed decides."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "kill_node",
    "hang_node",
    "cut_link",
    "slow_link",
    "full_node",
    "move",
    "stop_node",
    "kill_bus",
    "kill_control",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
EVERYBODY: frozenset[Kind] = frozenset({"kill_bus", "kill_control"})
"""Faults of the centre: all sessions are under them, on whichever node."""
LASTS_S: dict[Kind, float] = {
    "kill_node": 3.0,
    "hang_node": 6.0,
    "cut_link": 5.0,
    "slow_link": 5.0,
    "full_node": 5.0,
    "move": 1.0,
    "stop_node": 3.0,
    "kill_bus": 3.0,
    "kill_control": 3.0,
}
"""How long each lasts before it is taken back. A hang or a cut outlasts detection (2 s)."""


@dataclass(frozen=True, slots=True)
class Speaking:
    """A session at one moment."""

    name: str
    node: str
    in_word: bool


def schedule(rng: random.Random, kinds: Sequence[Kind] = KINDS) -> Iterator[Kind]:
    """Kinds without end: all of them in a drawn order, again and again."""
    while True:
        yield from rng.sample(kinds, len(kinds))


def target(kind: Kind, speaking: list[Speaking], least: int) -> tuple[str, ...] | None:
    """Whom the fault hits in the middle of a word now; None where they are too few.

    Args:
        kind: of the fault.
        speaking: all live sessions.
        least: so many must be within a word.

    Returns:
        The names of the sessions that are hit, of one node except for faults of the centre.
    """
    groups: dict[str, list[str]] = {}
    for one in speaking:
        if one.in_word:
            groups.setdefault("" if kind in EVERYBODY else one.node, []).append(one.name)
    best = max(groups.values(), key=len, default=[])
    return tuple(sorted(best)) if len(best) >= least else None
