"""What lies in stores, put together: sessions and their pieces, from several places. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from shared.content.records import KeptFinal

_TOKENS = 6
"""Of a kept piece's subject: hv, content, region, node, session, kind."""


class KeptSession(msgspec.Struct, frozen=True):
    """What is kept of a session, without any of it."""

    session: str
    node: str
    region: str
    """Of the node."""
    what: str
    pieces: Mapping[str, int]
    """By the region whose store they lie in."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """A piece that cannot be read; its place and number are known."""

    place: str
    sequence: int


def sessions_in(counts: Mapping[str, Mapping[str, int]]) -> list[KeptSession]:
    """All that is kept, sorted by session.

    Args:
        counts: by the region of the store, how many messages lie there by subject.
    """
    found: dict[tuple[str, str, str, str], dict[str, int]] = {}
    for place, by_subject in counts.items():
        for subject, count in by_subject.items():
            tokens = subject.split(".")
            if len(tokens) == _TOKENS:
                _, _, region, node, session, what = tokens
                found.setdefault((session, node, region, what), {})[place] = count
    return [
        KeptSession(session, node, region, what, dict(sorted(pieces.items())))
        for (session, node, region, what), pieces in sorted(found.items())
    ]


def nodes_in(subjects: Iterable[str]) -> tuple[str, ...]:
    """Whose pieces they are, sorted."""
    tokens = [subject.split(".") for subject in subjects]
    return tuple(sorted({each[3] for each in tokens if len(each) == _TOKENS}))


def merged(finals: Iterable[KeptFinal]) -> list[KeptFinal]:
    """Each once, in the order in which they were said, whatever lies where how often.

    A session that goes on at another node goes on with its numbers. Of two finals with one number
    the later is the one that its caller has: whoever said the earlier could not reach him.
    """
    latest = {one.seq: one for one in sorted(finals, key=lambda one: one.at_ms)}
    return [latest[seq] for seq in sorted(latest)]
