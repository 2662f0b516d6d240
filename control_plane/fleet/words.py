"""What of a report seldom changes: with the same words as before, only numbers can be new."""

from operator import attrgetter

from shared.capacity import CapacityReport

Words = tuple[object, ...]
_WORDS = attrgetter(
    "node", "region", "boot", "url", "version", "limit", "limited_by", "languages", "models",
    "voices", "tier", "draining", "healthy", "policy_version", "bundle_version", "goodbye",
    "faults",
)  # fmt: skip


def words_of(report: CapacityReport) -> Words:
    """All but counter, time, room, steps and queue; the kinds in their order."""
    return (_WORDS(report), *report.kinds)
