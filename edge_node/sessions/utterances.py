"""Where an utterance ends: decided on the sample grid after every chunk, by the audio alone.

An utterance is a fresh recogniser stream that starts at a boundary. It ends
- in the silence after its words, once that silence is long enough (`endpoint`);
- at a flush, or with the session (`flush`, `finish`);
- at the longest time an utterance may take, at the quietest place between two words (`forced`);
- without a word, after a while, so that silence does not pile up (no final is sent).
Whatever lies behind the boundary is heard again by the next utterance, from its first sample.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from edge_node.sessions.transcript import SpokenWord

Gap = tuple[int, int]
"""Frames: the first after a word's last token, the first token of the next word."""


@dataclass(frozen=True, slots=True)
class Rules:
    """When utterances end, in frames of the recogniser (`frame_ms` each)."""

    endpoint_frames: int
    longest_frames: int
    keep_frames: int
    """Kept of a wordless stretch: speech may already have begun whose tokens are not out."""
    restart_frames: int
    """A wordless utterance starts afresh after this long."""
    settle_frames: int
    """A token may come out this much before its word's sound is over."""

    @classmethod
    def of(
        cls, frame_ms: float, endpoint_silence_ms: int = 700, longest_ms: int = 20_000
    ) -> "Rules":
        """The rules in milliseconds, on the grid of frames."""
        return cls(
            endpoint_frames=max(1, round(endpoint_silence_ms / frame_ms)),
            longest_frames=round(longest_ms / frame_ms),
            keep_frames=round(800 / frame_ms),
            restart_frames=round(min(10_000, longest_ms / 2) / frame_ms),
            settle_frames=round(160 / frame_ms),
        )


@dataclass(frozen=True, slots=True)
class Cut:
    """An utterance ends: the frame of the boundary, and how many of its words stand before it."""

    frame: int
    words: int
    reason: Literal["endpoint", "forced", "silence"]


Loudness = Callable[[int, int], Sequence[float]]
"""The level of each frame from the first to before the second, of the utterance's audio."""


def cut(
    words: Sequence[SpokenWord], heard_frames: int, rules: Rules, loudness: Loudness
) -> Cut | None:
    """Whether the utterance ends now.

    Args:
        words: heard so far.
        heard_frames: frames whose tokens are out.
        rules: when utterances end.
        loudness: asked only where a place for a forced end is sought.
    """
    if not words:
        if heard_frames < rules.restart_frames:
            return None
        return Cut(heard_frames - rules.keep_frames, 0, "silence")
    silent = heard_frames - 1 - words[-1].last_frame
    if silent >= rules.endpoint_frames:
        return Cut(heard_frames - silent // 2, len(words), "endpoint")
    if heard_frames < rules.longest_frames:
        return None
    return _forced(words, heard_frames, rules, loudness)


def _forced(
    words: Sequence[SpokenWord], heard_frames: int, rules: Rules, loudness: Loudness
) -> Cut:
    """The quietest frame after a word of the later half; of equals the latest.

    Where no two words leave room between them, behind all that was heard: at most a step late, but
    no token is lost or heard twice.
    """
    end = min(heard_frames, rules.longest_frames)
    gaps = [
        (index + 1, (before.last_frame + 1, after.first_frame))
        for index, (before, after) in enumerate(pairwise(words))
        if end // 2 <= before.last_frame < heard_frames - 1 and after.first_frame <= end
    ]
    if words[-1].last_frame + 1 < end:
        gaps.append((len(words), (words[-1].last_frame + 1, end)))
    places = [
        (level, -frame, count)
        for count, gap in gaps
        for level, frame in _quiet_places(gap, rules, loudness)
    ]
    if not places:
        return Cut(heard_frames, len(words), "forced")
    _, negative, count = min(places)
    return Cut(-negative, count, "forced")


def _quiet_places(gap: Gap, rules: Rules, loudness: Loudness) -> list[tuple[float, int]]:
    """The frames of a gap with their levels; where words touch, the frame where they touch."""
    last = max(gap[0], gap[1] - 1)
    first = min(gap[0] + rules.settle_frames, last)
    return list(zip(loudness(first, last + 1), range(first, last + 1), strict=True))
