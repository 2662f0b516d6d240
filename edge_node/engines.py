"""Which recogniser and which voices the settings ask for."""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edge_node.models import Store
from edge_node.settings import EdgeSettings
from edge_node.stt.engine import Engine
from edge_node.stt.scripted import ScriptedEngine
from edge_node.tts.embedded import VOICES, embedded_speech
from edge_node.tts.scripted import ScriptedVoice
from edge_node.tts.service import Speech
from edge_node.tts.silent import Silent
from shared.clock import Clock

if TYPE_CHECKING:
    from edge_node.stt.gatekeeper import Gatekeeper

log = logging.getLogger(__name__)

SCRIPTED = "scripted"
VOICE_ACTIVITY = "vad-silero"


def engine_maker(settings: EdgeSettings) -> Callable[[], Engine]:
    """Constructs the recogniser, on the device's thread when it is called.

    Raises:
        Unsupported: a model that the catalogue does not know, or that is not on this machine.
    """
    if settings.recogniser == SCRIPTED:
        return ScriptedEngine
    return partial(_load, _folder(settings), settings)


def gatekeeper_maker(settings: EdgeSettings) -> "Callable[[], Gatekeeper | None]":
    """Constructs what drops words that nobody said, on the device's thread when it is called."""
    if settings.recogniser == SCRIPTED or not settings.voice_gate:
        return lambda: None
    model = Store(settings.models_dir).installed(VOICE_ACTIVITY)
    if model is None:
        log.warning("words are not checked for a voice: %s not installed", VOICE_ACTIVITY)
        return lambda: None
    return partial(_load_gatekeeper, model.files["model"])


def make_speech(settings: EdgeSettings, clock: Clock) -> Speech:
    """The voices, not loaded yet."""
    if settings.recogniser == SCRIPTED:
        return ScriptedVoice()
    store = Store(settings.models_dir)
    if settings.speech == "none":
        return Silent()
    if absent := [name for name in VOICES if store.installed(name) is None]:
        log.warning("this node will not speak: %s not installed", ", ".join(absent))
        return Silent()
    return embedded_speech(store.place, clock.now_s)


def _folder(settings: EdgeSettings) -> Path:
    named = Path(settings.recogniser)
    return named if named.is_absolute() else Store(settings.models_dir).find(named.name).folder


def _load(folder: Path, settings: EdgeSettings) -> Engine:
    from edge_node.stt.loading import load_engine  # noqa: PLC0415 brings onnxruntime and sherpa-onnx

    return load_engine(folder, settings.engine, settings.variant, settings.provider)


def _load_gatekeeper(file: Path) -> "Gatekeeper":
    from edge_node.stt.gatekeeper import Gatekeeper  # noqa: PLC0415 brings onnxruntime
    from edge_node.stt.vad import VoiceActivity  # noqa: PLC0415

    return Gatekeeper(VoiceActivity(file))
