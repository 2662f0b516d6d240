"""The voices that ship speak, the same each time; damaged files are refused by name."""

from pathlib import Path

import numpy as np
import pytest

from edge_node.models.store import embedded_folder
from edge_node.tts.embedded import VOICES, load_voices
from edge_node.tts.engine import VoiceEngine
from edge_node.tts.front_end import english
from edge_node.tts.phones import PAUSES, PHONES
from edge_node.tts.voice import OnnxVoice
from shared.errors import ModelRefused

pytestmark = pytest.mark.model
CLAUSE = "your order will arrive on monday morning."


@pytest.fixture(scope="module")
def engine() -> VoiceEngine:
    return load_voices(embedded_folder, lambda: 0.0)


@pytest.mark.parametrize("voice", VOICES)
def test_it_speaks_at_a_usual_level_and_pace(engine: VoiceEngine, voice: str) -> None:
    samples = engine.synthesise(CLAUSE, voice)
    assert 1.5 < samples.size / 16_000 < 5.0
    assert samples.dtype == np.float32
    assert 0.02 < float(samples.std()) < 0.3
    assert float(np.abs(samples).max()) <= 1.0


@pytest.mark.parametrize("voice", VOICES)
def test_equal_text_gives_equal_samples(engine: VoiceEngine, voice: str) -> None:
    first = engine.synthesise(CLAUSE, voice)
    engine.synthesise("something else.", voice)
    np.testing.assert_array_equal(first, engine.synthesise(CLAUSE, voice))


def test_speed_shortens_and_lengthens(engine: VoiceEngine) -> None:
    slow, usual, fast = (engine.synthesise(CLAUSE, VOICES[0], s).size for s in (0.5, 1.0, 2.0))
    assert slow / usual == pytest.approx(2, rel=0.1)
    assert fast / usual == pytest.approx(0.5, rel=0.15)


def test_the_voices_differ(engine: VoiceEngine) -> None:
    assert len({engine.synthesise(CLAUSE, voice).tobytes() for voice in VOICES}) == len(VOICES)


@pytest.mark.parametrize("voice", VOICES)
def test_every_symbol_can_be_said(voice: str) -> None:
    alone = OnnxVoice(voice, embedded_folder(voice) / "model.onnx")
    for phone in (*PHONES, *PAUSES):
        assert np.isfinite(alone.say(("^", phone, "."), 1.0)).all()


def test_a_long_clause_is_said_whole(engine: VoiceEngine) -> None:
    clause = " ".join(["antidisestablishmentarianism"] * 22)
    spoken = engine.synthesise(f"{clause}.", VOICES[0]).size
    assert spoken > 20 * engine.synthesise("antidisestablishmentarianism,", VOICES[0]).size / 2
    assert len(english().symbols(clause)) > 400


@pytest.mark.parametrize("keep", [0, 100, 100_000])
def test_a_truncated_file_is_refused_by_name(tmp_path: Path, keep: int) -> None:
    whole = (embedded_folder(VOICES[0]) / "model.onnx").read_bytes()
    (tmp_path / "model.onnx").write_bytes(whole[:keep])
    with pytest.raises(ModelRefused, match=r"model\.onnx"):
        OnnxVoice("cut", tmp_path / "model.onnx")


def test_another_kind_of_model_is_refused() -> None:
    vad = next(embedded_folder("vad-silero").glob("*.onnx"))
    with pytest.raises(ModelRefused, match="inputs"):
        OnnxVoice("vad", vad)


def test_all_voices_fit_in_ten_megabytes() -> None:
    files = [file for voice in VOICES for file in embedded_folder(voice).iterdir()]
    assert sum(file.stat().st_size for file in files) <= 10_000_000
