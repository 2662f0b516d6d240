"""Hears utterances through sherpa-onnx as a caller would: in pieces, streaming."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import sherpa_onnx

from training.stt.features import SAMPLE_RATE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

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
