"""Words that were lost or doubled, and how long results stayed away. Pure."""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

Told = tuple[str, int, int]
"""A word: its text, its start and its end in milliseconds of the session."""
BEFORE_S, AFTER_S = 1.0, 12.0
"""Around a fault: words spoken in this time may come late because of it. Before, because a word
that was spoken and not told yet when the fault came is waited for as well."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Against the undisturbed run."""

    lost: tuple[Told, ...]
    doubled: tuple[Told, ...]
    """Words that are not in the undisturbed run, or stand there once and came twice."""


def difference(undisturbed: Sequence[Told], told: Sequence[Told]) -> Difference:
    """Word by word, times included: the same word a millisecond off counts as lost and doubled."""
    lost: list[Told] = []
    doubled: list[Told] = []
    matcher = SequenceMatcher(None, undisturbed, told, autojunk=False)
    for what, a_from, a_to, b_from, b_to in matcher.get_opcodes():
        if what != "equal":
            lost += undisturbed[a_from:a_to]
            doubled += told[b_from:b_to]
    return Difference(tuple(lost), tuple(doubled))


@dataclass
class Record:
    """What one caller said and was told, with the moments."""

    begun_s: float = 0.0
    """When he began to speak: he speaks on at the pace of speech, whoever hears it."""
    shown: list[tuple[float, int]] = field(default_factory=list)
    """When words came, partial or for good, and where the last of them begins (ms)."""
    finals: list[Told] = field(default_factory=list)

    def said_s(self, ms: int) -> float:
        """When he had said everything up to there."""
        return self.begun_s + ms / 1000


def within_word(words: Sequence[Told], at_ms: int) -> bool:
    """Whether somebody is in the middle of one of the words then."""
    at = bisect.bisect_right(words, at_ms, key=lambda word: word[1]) - 1
    return at >= 0 and words[at][1] < at_ms < words[at][2]


def lateness(record: Record, words: Sequence[Told]) -> list[tuple[float, float]]:
    """For each word: when it had been spoken, and how much later it was first told, in seconds."""
    found: list[tuple[float, float]] = []
    shown = iter(record.shown)
    furthest, came_s = -1, 0.0
    for _, start_ms, end_ms in words:
        while furthest < start_ms:
            if (one := next(shown, None)) is None:
                return found
            came_s, furthest = one[0], max(furthest, one[1])
        spoken_s = record.said_s(end_ms)
        found.append((spoken_s, max(0.0, came_s - spoken_s)))
    return found


def gap_ms(
    late: Sequence[tuple[float, float]], fault_s: float, until_s: float, usual_s: float
) -> float:
    """By how much the latest word around a fault came later than words usually do.

    Args:
        late: of one session, by `lateness`.
        fault_s: when it came.
        until_s: when the next one came.
        usual_s: by `usual_lateness_s`.
    """
    end_s = min(fault_s + AFTER_S, until_s - BEFORE_S)
    around = [by for at, by in late if fault_s - BEFORE_S <= at <= end_s]
    return max(0.0, (max(around, default=usual_s) - usual_s) * 1000)


def usual_lateness_s(late: Sequence[tuple[float, float]], first_fault_s: float) -> float:
    """The 95th percentile of the words before the first fault: an undisturbed run."""
    calm = sorted(by for at, by in late if at < first_fault_s - BEFORE_S)
    return calm[int(0.95 * (len(calm) - 1))] if calm else 0.0


def percentile(values: Sequence[float], share: float) -> float | None:
    """Of at least one value: the one that `share` of them do not exceed."""
    ordered = sorted(values)
    return round(ordered[int(share * (len(ordered) - 1))], 1) if ordered else None
