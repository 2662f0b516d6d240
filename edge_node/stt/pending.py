"""Audio that waits for a whole chunk."""

import numpy as np

from edge_node.stt.checks import finite
from edge_node.stt.engine import Samples


class Pending:
    """A stream's audio from the context of its next chunk on.

    Args:
        audio: the context before the first chunk.
    """

    __slots__ = ("_audio", "_new")

    def __init__(self, audio: Samples) -> None:
        self._audio = audio
        self._new: list[Samples] = []

    def append(self, samples: Samples) -> None:
        """Takes a copy: the caller may use its buffer again."""
        self._new.append(np.array(finite(samples), np.float32))

    def take(self, size: int, advance: int) -> Samples:
        """The first `size` samples; the next call begins `advance` further on."""
        audio = self.all()
        self._audio = audio[advance:]
        return audio[:size]

    def all(self) -> Samples:
        """Everything that waits, context first."""
        if self._new:
            self._audio = np.concatenate([self._audio, *self._new])
            self._new.clear()
        return self._audio
