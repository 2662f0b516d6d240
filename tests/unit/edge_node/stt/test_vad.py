"""The voice activity model that ships, on sounds made here; on human speech where there is some."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_node.models import Store
from edge_node.stt.engine import Samples
from edge_node.stt.hiss import upper_band_hiss
from edge_node.stt.speech import STEP_SAMPLES, WINDOW_SAMPLES
from edge_node.stt.vad import (
    MAX_BATCH,
    Probabilities,
    VadStream,
    VoiceActivity,
)
from shared.audio import Resampler
from shared.errors import ModelRefused, SnapshotRefused

pytestmark = pytest.mark.model
FEW = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
LENGTH = 3 * STEP_SAMPLES


@pytest.fixture(scope="module")
def vad() -> VoiceActivity:
    return VoiceActivity(Store().find("vad-silero").files["model"])


def buzz(seed: int, samples: int = LENGTH) -> Samples:
    """Something like a voice: harmonics of a gliding pitch, in bursts."""
    at = np.arange(samples) / 16000
    pitch = 2 * np.pi * np.cumsum(110 + 10 * seed + 30 * np.sin(5 * at)) / 16000
    tone = sum(np.sin(k * pitch) / k for k in range(1, 20))
    rng = np.random.default_rng(seed)
    burst = np.sin(2 * np.pi * 2 * at + seed) > 0
    return np.asarray(0.1 * tone * burst + rng.normal(0, 0.002, samples), np.float32)


def heard(vad: VoiceActivity, streams: list[VadStream]) -> Probabilities:
    steps = []
    while all(map(vad.ready, streams)):
        steps.append(vad.step(streams))
    return np.concatenate(steps, axis=1)


@FEW
@given(cuts=st.lists(st.integers(0, LENGTH), max_size=10))
def test_the_network_may_cut_audio_anywhere(vad: VoiceActivity, cuts: list[int]) -> None:
    stream, sound, out = vad.open(), buzz(1), []
    for a, b in pairwise([0, *sorted(cuts), LENGTH]):
        vad.accept(stream, sound[a:b])
        while vad.ready(stream):
            out.append(vad.step([stream])[0])
    assert np.concatenate(out).tobytes() == vad.whole(sound).tobytes()


@FEW
@given(seeds=st.lists(st.integers(0, 9), min_size=1, max_size=9, unique=True))
def test_neighbours_change_not_one_bit(vad: VoiceActivity, seeds: list[int]) -> None:
    streams = [vad.open() for _ in seeds]
    for seed, stream in zip(seeds, streams, strict=True):
        vad.accept(stream, buzz(seed) * (1 + 50 * (seed % 2)))
    together = heard(vad, streams)
    for row, seed in enumerate(seeds):
        alone = vad.whole(buzz(seed) * (1 + 50 * (seed % 2)))
        assert together[row].tobytes() == alone.tobytes()


@pytest.mark.parametrize("caller_hz", [8000, 16000])
@pytest.mark.parametrize("at", [0, 100, STEP_SAMPLES, STEP_SAMPLES + 513])
def test_a_stream_may_be_saved_anywhere(vad: VoiceActivity, at: int, caller_hz: int) -> None:
    stream, sound, out = vad.open(caller_hz), buzz(2), []
    vad.accept(stream, sound[:at])
    while vad.ready(stream):
        out.append(vad.step([stream])[0])
    moved = vad.restore(vad.save(stream))
    assert moved.heard_samples == stream.heard_samples
    vad.accept(moved, sound[at:])
    out.append(heard(vad, [moved])[0])
    assert np.concatenate(out).tobytes() == vad.whole(sound, caller_hz).tobytes()


@pytest.mark.parametrize("saved", [b"", b"HVV1", b"HVV1" + bytes(1032), b"none" + bytes(1033)])
def test_what_was_not_saved_here_is_refused(vad: VoiceActivity, saved: bytes) -> None:
    with pytest.raises(SnapshotRefused):
        vad.restore(saved)


def test_silence_and_noise_are_no_speech(vad: VoiceActivity) -> None:
    rng = np.random.default_rng(0)
    for sound in (np.zeros(16000), rng.normal(0, 0.01, 16000), np.full(16000, 0.5)):
        assert vad.whole(sound.astype(np.float32)).max() < 0.5


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_samples_that_are_none_disturb_no_neighbour(vad: VoiceActivity, bad: float) -> None:
    good, ill = vad.open(), vad.open()
    vad.accept(good, buzz(3))
    vad.accept(ill, np.full(LENGTH, bad, np.float32))
    assert heard(vad, [ill, good])[1].tobytes() == vad.whole(buzz(3)).tobytes()


def test_a_stream_hears_again_after_what_was_no_number(vad: VoiceActivity) -> None:
    ill = np.concatenate([np.full(STEP_SAMPLES, np.nan, np.float32), buzz(3)])
    quiet = np.concatenate([np.zeros(STEP_SAMPLES, np.float32), buzz(3)])
    assert vad.whole(ill).tobytes() == vad.whole(quiet).tobytes()


def test_a_recording_of_any_length_has_its_windows(vad: VoiceActivity) -> None:
    for length in (0, 1, WINDOW_SAMPLES, STEP_SAMPLES, STEP_SAMPLES + 1):
        assert len(vad.whole(np.zeros(length, np.float32))) == -(-length // WINDOW_SAMPLES)


def test_a_step_is_asked_for_rightly_or_refused(vad: VoiceActivity) -> None:
    stream = vad.open()
    for wrong in ([], [stream], [stream] * 2, [vad.open() for _ in range(MAX_BATCH + 1)]):
        with pytest.raises(ValueError, match="stream"):
            vad.step(wrong)


def test_another_file_is_refused_with_its_name(tmp_path: Path) -> None:
    (wrong := tmp_path / "wrong.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelRefused, match=r"wrong\.onnx"):
        VoiceActivity(wrong)
    whole = Store().find("vad-silero").files["model"].read_bytes()
    (cut := tmp_path / "cut.onnx").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelRefused, match=r"cut\.onnx"):
        VoiceActivity(cut)


def test_the_hiss_is_faint_and_above_what_a_telephone_carries() -> None:
    hiss = upper_band_hiss(STEP_SAMPLES).astype(np.float64)
    spectrum = np.abs(np.fft.rfft(np.tile(hiss, 2)))
    assert abs(20 * np.log10(np.sqrt(np.mean(hiss**2))) + 80) < 0.1
    assert spectrum[: len(spectrum) // 2 - 1].max() < 1e-4 * spectrum.max()


@pytest.mark.speech
def test_over_a_telephone_line_as_much_speech_is_found(vad: VoiceActivity, assets: Path) -> None:
    """Without the hiss the empty upper band hides it."""
    sound = recordings(assets, 1)[0]
    down, up = Resampler(16000, 8000), Resampler(8000, 16000)
    narrow = np.concatenate([down.push(sound), down.finish()])
    line = np.concatenate([up.push(narrow), up.finish()])
    wide = float(np.mean(vad.whole(sound) > 0.5))
    assert np.mean(vad.whole(line) > 0.5) < 0.8 * wide
    assert np.mean(vad.whole(line, 8000) > 0.5) > 0.9 * wide


def recordings(assets: Path, count: int) -> list[Samples]:
    import soundfile  # noqa: PLC0415 an extra

    rows = (json.loads(r) for r in (assets / "an4" / "manifest.jsonl").read_text().splitlines())
    files = [row["file"] for row in rows if row["split"] == "test"][:count]
    return [soundfile.read(assets / file, dtype="float32")[0] for file in files]


@pytest.mark.speech
def test_upstreams_own_file_says_the_same(vad: VoiceActivity, assets: Path) -> None:
    """One window at a time, as Silero published it: to the rounding of a float."""
    import onnxruntime as ort  # noqa: PLC0415

    upstream = ort.InferenceSession(str(assets / "models" / "silero_vad" / "silero_vad.onnx"))
    sound = recordings(assets, 1)[0]
    hidden = cell = np.zeros((2, 1, 64), np.float32)
    ours = vad.whole(sound)
    for index, window in enumerate(sound[: len(sound) // 512 * 512].reshape(-1, 1, 512)):
        theirs, hidden, cell = upstream.run(None, {"x": window, "h": hidden, "c": cell})
        assert abs(float(theirs[0, 0]) - float(ours[index])) < 1e-5
    assert ours.max() > 0.9
