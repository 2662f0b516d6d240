"""The voices that ship, put together."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from edge_node.tts.breaker import Breaker
from edge_node.tts.engine import VoiceEngine
from edge_node.tts.front_end import english
from edge_node.tts.speech import SpeechService
from edge_node.tts.voice import OnnxVoice

FALLBACK: Final = "voice-en-fallback"
VOICES: Final = ("voice-en-female", "voice-en-male", FALLBACK)
"""The first is the default."""


def load_voices(folder_of: Callable[[str], Path], now_s: Callable[[], float]) -> VoiceEngine:
    """Loads all of VOICES from the folders that `folder_of` names. Raises ModelRefused."""
    voices = [OnnxVoice(name, folder_of(name) / "model.onnx") for name in VOICES]
    return VoiceEngine(voices, FALLBACK, english(), now_s, Breaker())


def embedded_speech(
    folder_of: Callable[[str], Path], now_s: Callable[[], float], threads: int = 1
) -> SpeechService:
    """The service, with nothing loaded yet."""
    return SpeechService(VOICES, lambda: load_voices(folder_of, now_s), threads)
