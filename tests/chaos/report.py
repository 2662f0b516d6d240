"""What a run comes to: per fault, and in all. Pure."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tests.chaos.play import Hit
from tests.chaos.verdict import (
    AFTER_S,
    BEFORE_S,
    Record,
    Told,
    difference,
    gap_ms,
    lateness,
    percentile,
    usual_lateness_s,
)


def judge(
    hits: Sequence[Hit], records: Mapping[str, Record], words: Mapping[str, Sequence[Told]]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A line for each fault, and the sum of all.

    Args:
        hits: the faults.
        records: of all callers, by name.
        words: of each, undisturbed.
    """
    found = {name: difference(words[name], record.finals) for name, record in records.items()}
    times = [*(hit.at_s for hit in hits), math.inf]
    late = {name: lateness(record, words[name]) for name, record in records.items()}
    usual_s = {name: usual_lateness_s(one, times[0]) for name, one in late.items()}
    gaps: list[float] = []
    lines: list[dict[str, Any]] = []
    for hit, until_s in zip(hits, times[1:], strict=True):
        own = [gap_ms(late[name], hit.at_s, until_s, usual_s[name]) for name in hit.callers]
        gaps += own
        lines.append(
            {
                "fault": hit.kind,
                "node": hit.node,
                "sessions_hit": len(hit.callers),
                "lost": sum(_near(records[n], found[n].lost, hit) for n in hit.callers),
                "doubled": sum(_near(records[n], found[n].doubled, hit) for n in hit.callers),
                "gap_p50_ms": percentile(own, 0.5),
                "gap_p95_ms": percentile(own, 0.95),
                "problem": hit.problem,
            }
        )
    return lines, {
        "sessions": len(records),
        "faults": len(hits),
        "words": sum(map(len, words.values())),
        "lost": sum(len(one.lost) for one in found.values()),
        "doubled": sum(len(one.doubled) for one in found.values()),
        "gap_p50_ms": percentile(gaps, 0.5),
        "gap_p95_ms": percentile(gaps, 0.95),
        "usual_p95_ms": percentile([1000 * one for one in usual_s.values()], 0.5),
    }


def _near(record: Record, words: Sequence[Told], hit: Hit) -> int:
    return sum(
        hit.at_s - BEFORE_S <= record.said_s(end_ms) <= hit.at_s + AFTER_S for _, _, end_ms in words
    )
