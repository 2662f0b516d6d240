"""How a streaming model walks over audio, and what its callers have to know of that.

A fresh stream starts as if silence had been heard before its first sample, exactly so much that
the model's first window is full of it. The state behind that window is the same for every stream
and computed once; from there on a step needs one chunk of new audio and no more. Words at the
very start of an utterance have their left context, and the first partial comes a window earlier.
"""

from dataclasses import dataclass
from functools import cached_property

from edge_node.stt.features import HOP_SAMPLES, LEAD_SAMPLES, span_samples


@dataclass(frozen=True)
class Geometry:
    """Feature frames (10 ms) of a window, of a step, and of a token frame."""

    window: int
    shift: int
    subsampling: int = 4

    @property
    def chunk_samples(self) -> int:
        """New audio of a step."""
        return self.shift * HOP_SAMPLES

    @property
    def frame_samples(self) -> int:
        """Audio of a token frame."""
        return self.subsampling * HOP_SAMPLES

    @cached_property
    def silence_samples(self) -> int:
        """Silence heard before the first sample: a full window, in whole token frames."""
        window_samples = span_samples(self.window) - LEAD_SAMPLES
        return -(-window_samples // self.frame_samples) * self.frame_samples

    @property
    def silence_frames(self) -> int:
        """Token frames of that silence."""
        return self.silence_samples // self.frame_samples

    @property
    def delay_samples(self) -> int:
        """After k steps tokens up to k chunks less this are out: a window reaches ahead."""
        return self.silence_samples - self.chunk_samples

    @property
    def context_samples(self) -> int:
        """Audio before a chunk that the first of its new feature frames looks back at."""
        return self.silence_samples + LEAD_SAMPLES - self.window * HOP_SAMPLES

    @property
    def overlap(self) -> int:
        """Feature frames that a window shares with the next."""
        return self.window - self.shift

    def first_token_frame(self, steps: int) -> int:
        """The token frame that step `steps` (from 0) begins with; negative inside the silence."""
        return (steps + 1) * self.shift // self.subsampling - self.silence_frames


def fits(geometry: Geometry) -> str | None:
    """Why no engine could walk so, or None."""
    if geometry.subsampling < 1 or geometry.shift < 1 or geometry.window < geometry.shift:
        return "window_size >= chunk_shift >= 1 and subsampling_factor >= 1 must hold"
    if geometry.shift % geometry.subsampling:
        return "chunk_shift must be a whole number of subsampling_factor"
    if geometry.context_samples + geometry.chunk_samples < span_samples(geometry.shift):
        return "a step's new frames must lie inside its chunk and the context before it"
    return None
