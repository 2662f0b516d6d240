"""Which recogniser and which voice the settings ask for."""

from collections.abc import Callable

from edge_node.settings import EdgeSettings
from edge_node.stt.engine import Engine
from edge_node.stt.scripted import ScriptedEngine
from edge_node.tts.scripted import ScriptedVoice
from edge_node.tts.service import Speech
from shared.errors import ModelRefused

SCRIPTED = "scripted"


def engine_maker(settings: EdgeSettings) -> Callable[[], Engine]:
    """Constructs the recogniser, on the device's thread when it is called. Raises ModelRefused."""
    if settings.recogniser == SCRIPTED:
        return ScriptedEngine
    raise ModelRefused(f"no model {settings.recogniser!r}", field="recogniser", remedy=SCRIPTED)


def make_speech(settings: EdgeSettings) -> Speech:
    """The voices, not loaded yet. Raises ModelRefused."""
    if settings.recogniser == SCRIPTED:
        return ScriptedVoice()
    raise ModelRefused("no voices", field="recogniser", remedy=SCRIPTED)
