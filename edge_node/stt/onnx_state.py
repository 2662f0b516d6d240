"""A stream of the onnxruntime engine as bytes: audio, features, network and decoder."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from edge_node.stt.engine import Samples
from edge_node.stt.features import Features
from edge_node.stt.tables import Row
from shared.errors import SnapshotRefused

FORMAT = 2


@dataclass(frozen=True, slots=True)
class SavedStream:
    """All that a stream is."""

    steps: int
    last: int
    """The best symbol of the last frame."""
    graph: str
    beam: bytes
    """Empty for a stream without a graph."""
    audio: Samples
    """From the context of the next chunk on."""
    overlap: Features
    states: Sequence[Row]


class _Wire(msgspec.Struct, array_like=True):
    steps: int
    last: int
    graph: str
    beam: bytes
    audio: bytes
    overlap: bytes
    states: list[bytes]


def encode_state(saved: SavedStream) -> bytes:
    """Little-endian arrays; their shapes follow from the model."""
    states = [state.tobytes() for state in saved.states]
    audio, overlap = saved.audio.tobytes(), saved.overlap.tobytes()
    wire = _Wire(saved.steps, saved.last, saved.graph, saved.beam, audio, overlap, states)
    return msgspec.msgpack.encode(wire)


def decode_state(body: bytes, like_overlap: Features, like_states: Sequence[Row]) -> SavedStream:
    """The stream again; arrays take their shapes and types from others like them.

    Raises:
        SnapshotRefused: it cannot be read, or has other shapes.
    """
    try:
        wire = msgspec.msgpack.decode(body, type=_Wire)
        audio = np.frombuffer(wire.audio, np.float32)
        overlap = _shaped(wire.overlap, like_overlap)
        states = [_shaped(*pair) for pair in zip(wire.states, like_states, strict=True)]
    except (msgspec.DecodeError, ValueError) as error:
        raise SnapshotRefused(
            f"the snapshot cannot be read: {error}",
            field="state",
            remedy="fetch the snapshot again, or replay the audio from the last final",
        ) from error
    return SavedStream(wire.steps, wire.last, wire.graph, wire.beam, audio, overlap, states)


def _shaped(data: bytes, like: Row) -> Row:
    return np.frombuffer(data, like.dtype).reshape(like.shape)
