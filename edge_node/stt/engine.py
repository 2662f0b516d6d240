"""What a recogniser engine is: one interface, several engines, one contract suite.

An engine is used from one thread at a time (the device thread) and never blocks on anything but
its device. Samples are float32 in -1..1 at `profile.sample_rate`. A stream is one utterance:
opened at its first sample, stepped in whole chunks, thrown away at its end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Profile:
    """What a caller of the engine must know of its model."""

    model: str
    """The model's name in the catalogue."""
    model_hash: str
    """sha256 of the weights, so that a snapshot finds its own model."""
    languages: tuple[str, ...]
    sample_rate: int
    chunk_samples: int
    """A step consumes this much of a stream."""
    edge_samples: int
    """Step k (from 0) can be taken once (k + 1) * chunk_samples + edge_samples were accepted."""
    delay_samples: int
    """After k steps the tokens up to k * chunk_samples - delay_samples are out, and no others."""
    frame_samples: int
    """One token frame."""
    tail_samples: int
    """Silence to append so that the last token comes out at the end of an utterance."""
    graphs: tuple[str, ...] = ()
    """The decoding graphs that a stream may be opened with."""
    graph: str = ""
    """Of sessions that name none; "" for none."""
    variant: str = "fp32"
    max_batch: int = 32

    @property
    def lookahead_samples(self) -> int:
        """Audio needed beyond a sample before its tokens are out (the model's right context)."""
        return self.edge_samples + self.delay_samples


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of text where the recogniser heard it."""

    text: str
    """As in tokens.txt; a leading "▁" begins a word."""
    frame: int
    """Frames (`profile.frame_samples` each) from the stream's first sample."""
    probability: float
    replaces: int = 0
    """So many of the stream's latest tokens were a mistake: this one stands in their place. A token
    without a text stands for nothing. Only streams with a graph change their minds."""


class Stream(Protocol):
    """An engine's handle of one utterance; opaque to everybody else."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A stream, saved: opens again on any engine with the same model, variant and format."""

    model_hash: str
    variant: str
    format: int
    sample: int
    """Samples accepted so far."""
    state: bytes


class Engine(Protocol):
    """The device's owner calls these, from one thread."""

    @property
    def profile(self) -> Profile:
        """The model's facts; constant."""
        ...

    def open(self, graph: str = "") -> Stream:
        """A fresh stream at sample 0, with one of `profile.graphs` or none.

        Raises:
            EngineFailed: the device is lost.
            Unsupported: no such graph.
        """
        ...

    def accept(self, stream: Stream, samples: Samples) -> None:
        """Appends audio; any length. Cheap: the work is in `step`."""
        ...

    def ready(self, stream: Stream) -> bool:
        """Whether a whole chunk waits."""
        ...

    def step(self, streams: Sequence[Stream]) -> list[list[Token]]:
        """One chunk of each stream (all ready, none twice, at most `max_batch`).

        Returns:
            The new tokens of each stream, in order.
        """
        ...

    def reset(self, stream: Stream) -> None:
        """The stream as fresh as after `open`, with the same graph."""
        ...

    def close(self, stream: Stream) -> None:
        """Frees what the stream holds. The handle must not be used again."""
        ...

    def save(self, stream: Stream) -> Snapshot | None:
        """The stream as bytes, or None where the engine cannot."""
        ...

    def restore(self, snapshot: Snapshot) -> Stream:
        """A stream that goes on where the snapshot was taken.

        Raises:
            SnapshotRefused: of another model, variant, graph or format, or not whole.
        """
        ...
