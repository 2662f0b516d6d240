"""The engines that must pass the contract, and audio for each to hear."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_node.models import embedded_folder
from edge_node.stt.engine import Engine, Samples, Stream, Token
from edge_node.stt.loading import Backend, load_engine
from edge_node.stt.model_files import Variant
from edge_node.stt.scripted import DEFAULT_PROFILE, ScriptedEngine, script_audio
from edge_node.tts.embedded import load_voices

SMALL = replace(
    DEFAULT_PROFILE, chunk_samples=32, delay_samples=20, frame_samples=4, tail_samples=20
)
PHRASES = ("we hear every word", "it's  a  zoo", "abracadabra", "no")
RECOGNISER, VOICE = "stt-en-telephone", "voice-en-female"
REAL: tuple[tuple[Backend, Variant], ...] = (
    ("onnx", "fp32"),
    ("onnx", "int8"),
    ("sherpa", "fp32"),
    ("sherpa", "int8"),
)


@dataclass(frozen=True)
class Case:
    """An engine, and utterances that it hears something in."""

    engine: Engine
    audio: tuple[Samples, ...]
    texts: tuple[str, ...] | None = None
    """What exactly it hears, where that is known."""


@cache
def scripted() -> Case:
    texts = tuple(" ".join(phrase.split()) for phrase in PHRASES)
    return Case(ScriptedEngine(SMALL), tuple(script_audio(p, 4) for p in PHRASES), texts)


@cache
def real_engine(backend: Backend, variant: Variant) -> Engine:
    """Skips by name while the model is not there."""
    folder = embedded_folder(RECOGNISER)
    suffix = ".int8.onnx" if variant == "int8" else ".onnx"
    if not (folder / f"model{suffix}").is_file():
        pytest.skip(f"{RECOGNISER} has no {variant} model here")
    return load_engine(folder, backend, variant)


SAYINGS = ("yes please", "one two three", "my order number is five nine", "cancel")


@cache
def our_speech() -> tuple[Samples, ...] | None:
    """What the embedded voice says, or None while it is not there."""
    if not (embedded_folder(VOICE) / "model.onnx").is_file():
        return None
    voices = load_voices(embedded_folder, lambda: 0.0)
    said = tuple(voices.synthesise(text, VOICE) for text in SAYINGS)
    return tuple(np.asarray(audio, np.float32) for audio in said)


@cache
def human_speech(assets: Path, count: int) -> tuple[Samples, ...]:
    """Utterances of speakers that no model of ours was trained on, the shortest first."""
    lines = (assets / "an4" / "manifest.jsonl").read_text().splitlines()
    rows = [row for row in map(json.loads, lines) if row["split"] == "test"]
    shortest = sorted(rows, key=lambda row: (row["dur"], row["id"]))[:count]
    return tuple(soundfile.read(assets / row["file"], dtype="float32")[0] for row in shortest)


def with_tail(engine: Engine, audio: Samples) -> Samples:
    """The utterance and so much silence that its last word comes out, in whole chunks."""
    profile = engine.profile
    wanted = len(audio) + profile.tail_samples - profile.edge_samples
    chunks = -(-wanted // profile.chunk_samples)
    size = chunks * profile.chunk_samples + profile.edge_samples
    return np.pad(audio, (0, size - len(audio)))


def drain(engine: Engine, stream: Stream) -> list[Token]:
    tokens = []
    while engine.ready(stream):
        tokens += engine.step([stream])[0]
    return tokens


def hear(engine: Engine, audio: Samples, cuts: Sequence[int] = ()) -> list[Token]:
    stream = engine.open()
    tokens = []
    for begin, end in pairwise([0, *sorted(cuts), len(audio)]):
        engine.accept(stream, audio[begin:end])
        tokens += drain(engine, stream)
    engine.close(stream)
    return tokens


def hear_together(engine: Engine, utterances: Sequence[Samples]) -> list[list[Token]]:
    """All of them, in steps of as many as have a chunk."""
    streams = [engine.open() for _ in utterances]
    heard: list[list[Token]] = [[] for _ in utterances]
    for stream, audio in zip(streams, utterances, strict=True):
        engine.accept(stream, audio)
    while ready := [i for i, stream in enumerate(streams) if engine.ready(stream)]:
        for i, tokens in zip(ready, engine.step([streams[i] for i in ready]), strict=True):
            heard[i] += tokens
    for stream in streams:
        engine.close(stream)
    return heard


def text_of(tokens: Sequence[Token]) -> str:
    return "".join(token.text for token in tokens).replace("▁", " ").strip()
