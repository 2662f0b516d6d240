"""Our engine against sherpa-onnx's on the same model and audio, features included, on one core.

Both are in one process and take their steps in turn, so that a busy moment of the machine falls on
both alike. Budgets: sherpa <= 0.008 s for a second of audio, the onnx engine <= 0.75 of that.
"""

import os
import time
from operator import truediv
from statistics import median
from typing import Final

import numpy as np

from edge_node.models.store import Store
from edge_node.settings import EdgeSettings
from edge_node.stt.engine import Engine, Samples
from edge_node.stt.loading import Backend, load_engine
from edge_node.stt.model_files import Variant
from heliovox.local.voices import PCM_16K
from shared.audio import decode
from tests.benchmarks.figures import Figure
from tests.benchmarks.stage import node, spoken

MODEL: Final = "stt-en-telephone"
BATCH: Final = 8
BACKENDS: Final[tuple[Backend, ...]] = ("sherpa", "onnx")
VARIANTS: Final[tuple[Variant, ...]] = ("int8", "fp32")
MOST: Final = 0.008
RATIO: Final = 0.75


class Party:
    """One engine, and the streams of a batch on it."""

    def __init__(self, engine: Engine, audio: list[Samples]) -> None:
        self._engine, self._audio = engine, audio
        self._streams = [engine.open() for _ in audio]
        self.chunk = engine.profile.chunk_samples
        for stream in self._streams:
            engine.accept(stream, np.zeros(engine.profile.edge_samples, np.float32))

    def step_s(self, number: int) -> float:
        """CPU seconds of the next chunk of every stream, its features and decoding included."""
        begin = number * self.chunk
        began_s = time.process_time()
        for stream, audio in zip(self._streams, self._audio, strict=True):
            self._engine.accept(stream, audio[begin : begin + self.chunk])
        self._engine.step(self._streams)
        return time.process_time() - began_s

    def leave(self) -> None:
        """The streams are over."""
        for stream in self._streams:
            self._engine.close(stream)


def run(rounds: int, seconds: float) -> list[Figure]:
    """Both variants of the model, greedy search, our own voice."""
    with node() as at:
        heard = [decode(PCM_16K, spoken(at, seconds, seed)) for seed in range(BATCH)]
    os.sched_setaffinity(0, {0})
    folder = Store(EdgeSettings().models_dir).find(MODEL).folder
    figures = []
    for variant in VARIANTS:
        engines = [load_engine(folder, backend, variant) for backend in BACKENDS]
        done = [_round(engines, heard, seconds) for _ in range(rounds)]
        sherpa, ours = (tuple(one[at] for one in done) for at in range(len(BACKENDS)))
        figures += [
            Figure(f"sherpa engine, {variant}, a second of audio", "s", sherpa, MOST),
            Figure(f"onnx engine, {variant}", "s", ours),
            Figure("  against the sherpa engine", "x", tuple(map(truediv, ours, sherpa)), RATIO),
        ]
    return figures


def _round(engines: list[Engine], heard: list[Samples], seconds: float) -> list[float]:
    """CPU seconds for a second of one stream's audio, by engine; of the middle step of each."""
    parties = [Party(engine, heard) for engine in engines]
    steps = int(seconds * PCM_16K.sample_rate / parties[0].chunk) - 1
    spent_s: list[list[float]] = [[] for _ in parties]
    for number in range(steps):
        turn = range(len(parties)) if number % 2 else reversed(range(len(parties)))
        for at in turn:
            spent_s[at].append(parties[at].step_s(number))
    for party in parties:
        party.leave()
    audio_s = parties[0].chunk / PCM_16K.sample_rate * len(heard)
    return [median(one) / audio_s for one in spent_s]
