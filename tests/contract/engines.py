"""The engines that must pass the contract, and audio for each to hear."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from edge_node.stt.engine import Engine, Samples
from edge_node.stt.scripted import DEFAULT_PROFILE, ScriptedEngine, script_audio

SMALL = replace(
    DEFAULT_PROFILE, chunk_samples=32, delay_samples=20, frame_samples=4, tail_samples=20
)
PHRASES = ("we hear every word", "it's  a  zoo", "abracadabra", "no")


@dataclass(frozen=True)
class Case:
    """An engine, and utterances that it hears something in."""

    engine: Engine
    audio: tuple[Samples, ...]


@cache
def scripted() -> Case:
    return Case(ScriptedEngine(SMALL), tuple(script_audio(p, 4) for p in PHRASES))


CASES: dict[str, Callable[[], Case]] = {"scripted": scripted}
