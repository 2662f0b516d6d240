"""A bundle: the centre's files, and of each ledger the records that its heads speak of (pure)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from control_plane.ledger.statement import STATEMENT, Statement, read_heads
from shared.ledger.canonical import canonical
from shared.ledger.chain import START, Chain, Place
from shared.ledger.heads import Head

STARTS = "starts.json"


class LedgerIncomplete(ValueError):
    """Records are not there that a node signed."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Records of one ledger, in their order."""

    place: Place
    """Where they begin."""
    lines: tuple[bytes, ...]


def record_file(head: Head) -> str:
    """Where a ledger's records are in a bundle."""
    return f"records/{head.region}.{head.node}.{head.log}.jsonl"


def bundle_files(
    centre: Mapping[str, bytes], ledgers: Mapping[str, Stretch]
) -> tuple[dict[str, bytes], list[str]]:
    """All files of a bundle, by name, and what is missing of it.

    Args:
        centre: the centre's.
        ledgers: by their names (`Head.log`): at least what the time of the bundle needs.
    """
    files, starts, missing = dict(centre), {}, []
    from_ms = msgspec.json.decode(centre[STATEMENT], type=Statement).from_ms
    early: dict[str, Head] = {}
    last: dict[str, Head] = {}
    for seen in read_heads(centre):
        last[seen.head.log] = seen.head
        if seen.at_ms <= from_ms:
            early[seen.head.log] = seen.head
    for log, head in last.items():
        begin = early[log].size if log in early else 0
        try:
            place, lines = _between(ledgers.get(log), begin, head.size)
        except LedgerIncomplete as error:
            missing.append(f"{head.region}/{head.node} ({log}): {error}")
            continue
        files[record_file(head)] = b"".join(line + b"\n" for line in lines)
        if place != START:
            starts[log] = place
    if starts:
        files[STARTS] = canonical(starts) + b"\n"
    return files, missing


def joined(stretches: Iterable[Stretch]) -> Stretch | None:
    """Stretches of one ledger as one, those that overlap or repeat one another too.

    What lies behind a gap is left out.
    """
    whole: Stretch | None = None
    for one in sorted(stretches, key=lambda stretch: stretch.place.size):
        if whole is None:
            whole = one
            continue
        end = whole.place.size + len(whole.lines)
        if one.place.size <= end:
            whole = Stretch(whole.place, whole.lines + one.lines[end - one.place.size :])
    return whole


def _between(known: Stretch | None, begin: int, end: int) -> tuple[Place, tuple[bytes, ...]]:
    """The records from one number up to another, and where the chain stands before them."""
    if begin == end == 0:
        return START, ()
    if known is None:
        raise LedgerIncomplete("no records of it were found")
    first, after = known.place.size, known.place.size + len(known.lines)
    if first > begin or after < end:
        raise LedgerIncomplete(f"records {first} to {after} are there, {begin} to {end} needed")
    chain = Chain(known.place)
    for line in known.lines[: begin - first]:
        chain.take(line)
    return chain.place, known.lines[begin - first : end - first]
