"""An exact recogniser for tests: the audio carries its own text.

A frame of constant level is a letter, a silent frame is none, so whoever cuts, moves, repeats or
loses audio sees it in the words. It looks ahead as a real model does: tokens come out only once
the audio behind them has been heard.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from edge_node.stt.checks import check_graph, check_step, finite, steps_possible
from edge_node.stt.engine import Profile, Samples, Snapshot, Stream, Token
from edge_node.stt.snapshots import seal, unseal
from shared.errors import SnapshotRefused

FORMAT = 1
LETTERS = "abcdefghijklmnopqrstuvwxyz'"
_STEP = 1 / 32
"""Between two letters' levels: a thousand times what PCM16 rounds away."""

DEFAULT_PROFILE = Profile(
    model="scripted",
    model_hash="scripted",
    languages=("en",),
    sample_rate=16000,
    chunk_samples=5120,
    edge_samples=0,
    delay_samples=3200,
    frame_samples=640,
    tail_samples=3200,
)
"""The geometry of the embedded model: 320 ms chunks, 40 ms frames, 200 ms of lookahead."""


def script_audio(text: str, frame_samples: int = DEFAULT_PROFILE.frame_samples) -> Samples:
    """Audio that the scripted recogniser hears as `text`: a frame a letter, silence for a space.

    Raises:
        ValueError: a character that is neither a space nor one of LETTERS.
    """
    if unknown := set(text) - set(LETTERS) - {" "}:
        raise ValueError(f"no level for {sorted(unknown)}: use a to z, ' and space")
    levels = [(LETTERS.index(letter) + 1) * _STEP if letter != " " else 0.0 for letter in text]
    return np.repeat(np.array(levels, dtype=np.float32), frame_samples)


def read_frame(frame: Samples) -> tuple[str, float]:
    """The letter of a frame ("" for silence) and how sure that is, from its middle half.

    The middle, so that what a resampler smears over a frame's edges does not count.
    """
    quarter = len(frame) // 4
    level = abs(float(frame[quarter : len(frame) - quarter].mean())) / _STEP
    nearest = min(round(level), len(LETTERS))
    probability = max(0.0, 1.0 - 2 * abs(level - nearest))
    return ("" if nearest == 0 else LETTERS[nearest - 1]), probability


@dataclass(slots=True, eq=False)
class ScriptedStream:
    """One utterance on its way."""

    accepted: int = 0
    steps: int = 0
    frames: int = 0
    """Frames already read."""
    in_word: bool = False
    held: list[Samples] = field(default_factory=list)
    """Audio from the first frame that was not read."""
    closed: bool = False


class _State(msgspec.Struct, array_like=True):
    accepted: int
    steps: int
    frames: int
    in_word: bool
    held: bytes


class ScriptedEngine:
    """Reads `script_audio`; `profile` gives the geometry."""

    def __init__(self, profile: Profile = DEFAULT_PROFILE) -> None:
        self._profile = profile

    @property
    def profile(self) -> Profile:
        """As it was given."""
        return self._profile

    def open(self, graph: str = "") -> ScriptedStream:
        """A fresh stream at sample 0."""
        check_graph(graph, self._profile)
        return ScriptedStream()

    def accept(self, stream: Stream, samples: Samples) -> None:
        """Appends audio; any length."""
        own = _own(stream)
        own.held.append(finite(samples).astype(np.float32, copy=True))
        own.accepted += len(samples)

    def ready(self, stream: Stream) -> bool:
        """Whether a whole chunk waits."""
        own = _own(stream)
        return own.steps < steps_possible(own.accepted, self._profile)

    def step(self, streams: Sequence[Stream]) -> list[list[Token]]:
        """One chunk of each stream."""
        check_step(streams, self.ready, self._profile)
        return [self._step_one(_own(stream)) for stream in streams]

    def reset(self, stream: Stream) -> None:
        """The stream as fresh as after `open`."""
        own = _own(stream)
        own.accepted = own.steps = own.frames = 0
        own.in_word = False
        own.held.clear()

    def close(self, stream: Stream) -> None:
        """Frees what the stream holds."""
        self.reset(stream)
        _own(stream).closed = True

    def save(self, stream: Stream) -> Snapshot:
        """The stream as bytes."""
        own = _own(stream)
        held = b"".join(part.tobytes() for part in own.held)
        state = _State(own.accepted, own.steps, own.frames, own.in_word, held)
        return seal(self._profile, FORMAT, own.accepted, msgspec.msgpack.encode(state))

    def restore(self, snapshot: Snapshot) -> ScriptedStream:
        """A stream that goes on where the snapshot was taken."""
        body = unseal(self._profile, FORMAT, snapshot)
        try:
            state = msgspec.msgpack.decode(body, type=_State)
            held = np.frombuffer(state.held, np.float32)
        except (msgspec.DecodeError, ValueError) as error:
            raise SnapshotRefused(f"the snapshot cannot be read: {error}", field="state") from error
        return ScriptedStream(state.accepted, state.steps, state.frames, state.in_word, [held])

    def _step_one(self, stream: ScriptedStream) -> list[Token]:
        stream.steps += 1
        size = self._profile.frame_samples
        heard = stream.steps * self._profile.chunk_samples - self._profile.delay_samples
        audio = np.concatenate(stream.held)
        new = max(0, heard // size - stream.frames)
        tokens = [
            token
            for frame in audio[: new * size].reshape(new, size)
            if (token := _next_token(stream, frame)) is not None
        ]
        stream.held = [audio[new * size :]]
        return tokens


def _next_token(stream: ScriptedStream, frame: Samples) -> Token | None:
    letter, probability = read_frame(frame)
    text = letter if stream.in_word else f"▁{letter}"
    at, stream.frames, stream.in_word = stream.frames, stream.frames + 1, bool(letter)
    return Token(text, at, probability) if letter else None


def _own(stream: Stream) -> ScriptedStream:
    if not isinstance(stream, ScriptedStream) or stream.closed:
        raise ValueError("this stream is closed, or another engine's")
    return stream
