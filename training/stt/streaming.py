"""Runs an exported model step by step, as an engine does: windows of features, explicit state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnxruntime as ort

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from training.stt.augment import F32

Feeds = dict[str, np.ndarray]


class Stepper:
    """A model file on one CPU thread.

    Args:
        facts: the metadata, where the file itself has lost it.
    """

    def __init__(self, path: Path, facts: dict[str, int] | None = None) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(str(path), options, ["CPUExecutionProvider"])
        self.facts = facts or {
            key: int(value)
            for key, value in self.session.get_modelmeta().custom_metadata_map.items()
            if value.isdigit()
        }
        self.window, self.shift = self.facts["window_size"], self.facts["chunk_shift"]
        self._inputs = [one.name for one in self.session.get_inputs()]

    def start(self, batch: int) -> Feeds:
        """The state of streams that have heard nothing."""
        facts = self.facts
        shapes = [
            [facts[f"cache_last_{kind}_dim{i}"] for i in (1, 2, 3)] for kind in ("channel", "time")
        ]
        return {
            self._inputs[2]: np.zeros((batch, *shapes[0]), np.float32),
            self._inputs[3]: np.zeros((batch, *shapes[1]), np.float32),
            self._inputs[4]: np.zeros(batch, np.int64),
        }

    def step(self, windows: F32, state: Feeds) -> tuple[F32, Feeds]:
        """Log-probabilities (batch, 8, tokens) of windows (batch, window, 80), and next state."""
        outputs = self.session.run(None, self.feeds(windows, state))
        return outputs[0], dict(zip(self._inputs[2:], outputs[2:], strict=True))

    def feeds(self, windows: F32, state: Feeds) -> Feeds:
        """All inputs of a step by name."""
        length = np.full(len(windows), windows.shape[1], np.int64)
        audio = np.ascontiguousarray(windows.transpose(0, 2, 1), np.float32)
        return {self._inputs[0]: audio, self._inputs[1]: length, **state}

    def run(self, features: F32) -> F32:
        """All log-probabilities (outputs, tokens) of one utterance."""
        state, found = self.start(1), []
        for window in windows(features, self.window, self.shift):
            log_probabilities, state = self.step(window[None], state)
            found.append(log_probabilities[0])
        return np.concatenate(found) if found else np.zeros((0, 1), np.float32)


def windows(features: F32, window: int, shift: int) -> Iterator[F32]:
    """The windows a streaming recogniser sees; an incomplete last one is not among them."""
    for start in range(0, len(features) - window + 1, shift):
        yield features[start : start + window]
