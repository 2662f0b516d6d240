"""Which recogniser and which voices the settings ask for."""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from edge_node.models import Store
from edge_node.settings import EdgeSettings
from edge_node.stt.engine import Engine
from edge_node.stt.scripted import ScriptedEngine
from edge_node.tts.embedded import VOICES, embedded_speech
from edge_node.tts.scripted import ScriptedVoice
from edge_node.tts.service import Speech
from edge_node.tts.silent import Silent
from shared.clock import Clock

log = logging.getLogger(__name__)

SCRIPTED = "scripted"


def engine_maker(settings: EdgeSettings) -> Callable[[], Engine]:
    """Constructs the recogniser, on the device's thread when it is called.

    Raises:
        Unsupported: a model that the catalogue does not know, or that is not on this machine.
    """
    if settings.recogniser == SCRIPTED:
        return ScriptedEngine
    return partial(_load, _folder(settings), settings)


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
