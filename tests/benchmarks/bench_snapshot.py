"""What a saved stream weighs and costs, against hearing its audio once more.

A session that moves in the middle of an utterance could take the recogniser's state with it, or
have the audio since the last boundary heard again. The second costs CPU by the second of audio;
the first costs bytes on the way, and ties both nodes to one model, variant and format.
"""

import os
import time
from statistics import median
from typing import Final

import numpy as np

from edge_node.models.store import Store
from edge_node.settings import EdgeSettings
from edge_node.stt.engine import Engine, Samples
from edge_node.stt.loading import load_engine
from edge_node.stt.model_files import Variant
from heliovox.local.voices import PCM_16K
from shared.audio import decode
from tests.benchmarks.figures import Figure
from tests.benchmarks.stage import node, spoken

MODEL: Final = "stt-en-telephone"
VARIANTS: Final[tuple[Variant, ...]] = ("int8", "fp32")
GRAPHS: Final = ("", "telephone")
BATCH: Final = 8
"""Streams that are heard again together, as after the death of their node."""
TIMES: Final = 200


def run(rounds: int, seconds: float) -> list[Figure]:
    """Both variants, greedy and with the telephone graph; on one core."""
    with node() as at:
        heard = [decode(PCM_16K, spoken(at, seconds, seed)) for seed in range(BATCH)]
    os.sched_setaffinity(0, {0})
    folder = Store(EdgeSettings().models_dir).find(MODEL).folder
    figures: list[Figure] = []
    for variant in VARIANTS:
        engine = load_engine(folder, "onnx", variant)
        for graph in GRAPHS:
            figures += _figures(engine, f"{variant}, {graph or 'greedy'}", graph, heard, rounds)
    return figures


def _figures(
    engine: Engine, name: str, graph: str, heard: list[Samples], rounds: int
) -> list[Figure]:
    saves, restores, sizes, replays = [], [], [], []
    for _ in range(rounds):
        replays.append(_replay_ms(engine, graph, heard))
        save, restore, size = _snapshot(engine, graph, heard[0])
        saves.append(save)
        restores.append(restore)
        sizes.append(size)
    even = [(a + b) / c for a, b, c in zip(saves, restores, replays, strict=True)]
    return [
        Figure(f"snapshot, {name}: size", "KiB", tuple(sizes)),
        Figure("  taken", "ms", tuple(saves)),
        Figure("  restored", "ms", tuple(restores)),
        Figure("  a second of audio heard again, eight streams at once", "ms", tuple(replays)),
        Figure("  replay costs less CPU for audio shorter than", "s", tuple(even)),
    ]


def _replay_ms(engine: Engine, graph: str, heard: list[Samples]) -> float:
    """CPU milliseconds for a second of one stream's audio."""
    profile = engine.profile
    streams = [engine.open(graph) for _ in heard]
    for stream in streams:
        engine.accept(stream, np.zeros(profile.edge_samples, np.float32))
    steps = min(map(len, heard)) // profile.chunk_samples - 1
    began_s = time.process_time()
    for number in range(steps):
        begin = number * profile.chunk_samples
        for stream, audio in zip(streams, heard, strict=True):
            engine.accept(stream, audio[begin : begin + profile.chunk_samples])
        engine.step(streams)
    used_s = time.process_time() - began_s
    for stream in streams:
        engine.close(stream)
    return 1000 * used_s / (steps * profile.chunk_samples / profile.sample_rate) / len(streams)


def _snapshot(engine: Engine, graph: str, audio: Samples) -> tuple[float, float, float]:
    """Milliseconds to take one and to restore it, and its KiB, in the middle of an utterance."""
    profile = engine.profile
    stream = engine.open(graph)
    engine.accept(stream, audio[: 12 * profile.chunk_samples])
    while engine.ready(stream):
        engine.step([stream])
    takes, restores, size = [], [], 0
    for _ in range(TIMES):
        began_s = time.perf_counter()
        saved = engine.save(stream)
        takes.append(time.perf_counter() - began_s)
        assert saved is not None, "this engine cannot save"
        size = len(saved.state)
        began_s = time.perf_counter()
        again = engine.restore(saved)
        restores.append(time.perf_counter() - began_s)
        engine.close(again)
    engine.close(stream)
    return 1000 * median(takes), 1000 * median(restores), size / 1024
