"""Hears utterances as a caller would, in pieces: greedily through sherpa-onnx, or with a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import sherpa_onnx

from edge_node.sessions.transcript import Transcript
from edge_node.stt.loading import load_engine
from training.stt.features import SAMPLE_RATE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edge_node.stt.engine import Engine
    from training.stt.augment import F32

PIECE_S: Final = 0.32
BATCH: Final = 16


def recogniser(folder: Path, model: str) -> sherpa_onnx.OnlineRecognizer:
    """The model file of a folder in a greedy streaming recogniser on one thread."""
    return sherpa_onnx.OnlineRecognizer.from_nemo_ctc(
        model=str(folder / model), tokens=str(folder / "tokens.txt"), num_threads=1
    )


def transcripts(recogniser: sherpa_onnx.OnlineRecognizer, speech: Sequence[F32]) -> list[str]:
    """What is heard in each, at 16 kHz; 16 at a time."""
    heard: list[str] = []
    for start in range(0, len(speech), BATCH):
        heard += _batch(recogniser, speech[start : start + BATCH])
    return heard


def _batch(recogniser: sherpa_onnx.OnlineRecognizer, speech: Sequence[F32]) -> list[str]:
    streams = [recogniser.create_stream() for _ in speech]
    piece = round(PIECE_S * SAMPLE_RATE)
    for at in range(0, max(map(len, speech)), piece):
        for stream, samples in zip(streams, speech, strict=True):
            if at < len(samples):
                stream.accept_waveform(SAMPLE_RATE, np.ascontiguousarray(samples[at : at + piece]))
        _drain(recogniser, streams)
    for stream in streams:
        stream.input_finished()
    _drain(recogniser, streams)
    return [recogniser.get_result(stream).strip() for stream in streams]


def _drain(recogniser: sherpa_onnx.OnlineRecognizer, streams: Sequence[object]) -> None:
    while ready := [stream for stream in streams if recogniser.is_ready(stream)]:
        recogniser.decode_streams(ready)


def engine(folder: Path, model: str) -> Engine:
    """The model file of a folder in the engine that knows graphs."""
    return load_engine(folder, "onnx", "int8" if ".int8." in model else "fp32")


def transcripts_with(engine: Engine, graph: str, speech: Sequence[F32]) -> list[str]:
    """What is heard in each with one of the model's graphs, at 16 kHz; 16 at a time."""
    heard: list[str] = []
    for start in range(0, len(speech), BATCH):
        heard += _batch_with(engine, graph, speech[start : start + BATCH])
    return heard


def _batch_with(engine: Engine, graph: str, speech: Sequence[F32]) -> list[str]:
    streams = [engine.open(graph) for _ in speech]
    found = [Transcript() for _ in speech]
    chunk = engine.profile.chunk_samples
    for stream, samples in zip(streams, speech, strict=True):
        engine.accept(stream, np.pad(samples, (0, chunk - len(samples) % chunk)))
    while ready := [i for i, stream in enumerate(streams) if engine.ready(stream)]:
        for i, tokens in zip(ready, engine.step([streams[i] for i in ready]), strict=True):
            found[i].add(tokens)
    for stream in streams:
        engine.close(stream)
    return [" ".join(word.text for word in one.words) for one in found]
