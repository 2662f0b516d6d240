"""Voice activity: how likely each 32 ms window holds speech, for many streams in one call.

The model keeps its state between windows, and here the stream holds that state: a stream is a
function of its samples alone, whoever shares a step and however its audio was cut.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from edge_node.stt.engine import Samples
from edge_node.stt.hiss import upper_band_hiss
from edge_node.stt.runtime import session_from
from edge_node.stt.speech import STEP_SAMPLES, WINDOW_SAMPLES, WINDOWS_PER_STEP
from shared.audio import MODEL_RATE_HZ
from shared.errors import EngineFailed, ModelRefused, SnapshotRefused

MAX_BATCH = 64
SAMPLE_RATE = MODEL_RATE_HZ

_STATE_SHAPE = (2, 64)
_STATE_BYTES = 2 * 2 * 64 * 4
_INPUTS = {"x": 2, "h": 3, "c": 3}  # name -> rank
_MAGIC = b"HVV1"
_HEAD = struct.Struct("<4s?Q")  # magic, narrow, samples heard

Probabilities = npt.NDArray[np.float32]
State = npt.NDArray[np.float32]


def _zeros() -> State:
    return np.zeros(_STATE_SHAPE, np.float32)


@dataclass(slots=True, eq=False)
class VadStream:
    """One caller's audio: what the model remembers of it, and what waits for a step."""

    narrow: bool = False
    hidden: State = field(default_factory=_zeros)
    cell: State = field(default_factory=_zeros)
    waiting: Samples = field(default_factory=lambda: np.empty(0, np.float32))
    heard_samples: int = 0
    """Whose probabilities are out."""


class VoiceActivity:
    """The model, used from one thread at a time."""

    def __init__(self, file: Path) -> None:
        """Raises ModelRefused where the file is not the batched Silero model."""
        self._session = session_from(file, "cpu")
        _check(file, self._session)

    def open(self, caller_hz: int = SAMPLE_RATE) -> VadStream:
        """A stream at sample 0, of audio that came at `caller_hz` and was resampled to 16 kHz."""
        return VadStream(narrow=caller_hz < SAMPLE_RATE)

    def accept(self, stream: VadStream, samples: Samples) -> None:
        """Appends audio at 16 kHz; any length. The work is in `step`.

        What is no number is heard as silence: it would stay in the model's state for good.
        """
        clean = np.clip(np.nan_to_num(samples), -1, 1).astype(np.float32, copy=False)
        stream.waiting = np.concatenate([stream.waiting, clean])

    def ready(self, stream: VadStream) -> bool:
        """Whether a step's audio waits."""
        return len(stream.waiting) >= STEP_SAMPLES

    def step(self, streams: Sequence[VadStream]) -> Probabilities:
        """One step of each stream.

        Args:
            streams: all ready, none twice, at most MAX_BATCH.

        Returns:
            Shape (streams, WINDOWS_PER_STEP): how likely each window holds speech, in 0..1.

        Raises:
            ValueError: streams that are not as said.
            EngineFailed: the runtime broke.
        """
        self._check_streams(streams)
        audio = np.stack([_step_of(stream) for stream in streams])
        probabilities, hidden, cell = self._run(
            _by_window(audio),
            np.stack([stream.hidden for stream in streams], axis=1),
            np.stack([stream.cell for stream in streams], axis=1),
        )
        for row, stream in enumerate(streams):
            stream.hidden, stream.cell = hidden[:, row].copy(), cell[:, row].copy()
            stream.waiting = stream.waiting[STEP_SAMPLES:].copy()
            stream.heard_samples += STEP_SAMPLES
        return probabilities

    def whole(self, samples: Samples, caller_hz: int = SAMPLE_RATE) -> Probabilities:
        """A recording at once: shape (windows,), the last one filled up with silence."""
        stream, windows = self.open(caller_hz), -(-len(samples) // WINDOW_SAMPLES)
        self.accept(stream, samples)
        self.accept(stream, np.zeros(-len(samples) % STEP_SAMPLES, np.float32))
        steps = [self.step([stream])[0] for _ in range(len(stream.waiting) // STEP_SAMPLES)]
        return np.concatenate([*steps, np.empty(0, np.float32)])[:windows]

    def save(self, stream: VadStream) -> bytes:
        """The stream as bytes, for `restore` on any machine."""
        arrays = (stream.hidden, stream.cell, stream.waiting)
        head = _HEAD.pack(_MAGIC, stream.narrow, stream.heard_samples)
        return head + b"".join(a.astype("<f4").tobytes() for a in arrays)

    def restore(self, saved: bytes) -> VadStream:
        """A stream that goes on where it was saved.

        Raises:
            SnapshotRefused: not what `save` gives.
        """
        body = saved[_HEAD.size :]
        whole = len(body) >= _STATE_BYTES and len(body) % 4 == 0
        if not (saved.startswith(_MAGIC) and whole):
            raise SnapshotRefused(
                "no saved stream of this voice activity detector",
                field="state",
                value=len(saved),
                remedy="open a new stream",
            )
        values = np.frombuffer(body, "<f4").astype(np.float32)
        half = _STATE_BYTES // 8
        hidden, cell, waiting = np.split(values, [half, 2 * half])
        _, narrow, heard = _HEAD.unpack_from(saved)
        shape = _STATE_SHAPE
        return VadStream(narrow, hidden.reshape(shape), cell.reshape(shape), waiting, heard)

    def _check_streams(self, streams: Sequence[VadStream]) -> None:
        if not 0 < len(streams) <= MAX_BATCH:
            raise ValueError(f"{len(streams)} streams in a step: 1 to {MAX_BATCH} are allowed")
        if len({id(stream) for stream in streams}) < len(streams):
            raise ValueError("a stream stands twice in a step")
        if not all(self.ready(stream) for stream in streams):
            raise ValueError(f"a stream with less than {STEP_SAMPLES} samples in a step")

    def _run(self, x: Samples, h: State, c: State) -> tuple[Probabilities, State, State]:
        try:
            probabilities, hidden, cell = self._session.run(None, {"x": x, "h": h, "c": c})
        except Exception as error:  # the runtime's own exceptions have no common class
            raise EngineFailed("voice activity could not be computed", field="vad") from error
        return probabilities, hidden, cell


def _step_of(stream: VadStream) -> Samples:
    samples = stream.waiting[:STEP_SAMPLES]
    return samples + upper_band_hiss(STEP_SAMPLES) if stream.narrow else samples


def _by_window(audio: Samples) -> Samples:
    """(streams, step) -> (windows * streams, window): the model's sequence runs over windows."""
    windows = audio.reshape(len(audio), WINDOWS_PER_STEP, WINDOW_SAMPLES).swapaxes(0, 1)
    return np.ascontiguousarray(windows).reshape(-1, WINDOW_SAMPLES)


def _check(file: Path, session: ort.InferenceSession) -> None:
    inputs = {one.name: len(one.shape) for one in session.get_inputs()}
    first = session.get_inputs()[0].shape[0]
    if inputs != _INPUTS or isinstance(first, int):
        raise ModelRefused(
            f"{file.name} takes {inputs}: not the batched Silero model",
            field="model",
            value=file,
            remedy="use the file that ships, or make it with training/vad/batch.py",
        )
