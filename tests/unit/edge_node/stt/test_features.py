"""Features are those the models are trained on and sherpa-onnx computes."""

from pathlib import Path

import kaldi_native_fbank
import numpy as np
import pytest
import sherpa_onnx
from numpy.typing import NDArray
from threadpoolctl import threadpool_info, threadpool_limits

from edge_node.models import embedded_folder
from edge_node.stt.features import BINS, LEAD_SAMPLES, Fbank, fbank_options, span_samples

Samples = NDArray[np.float32]
SPEECHLIKE = np.random.default_rng(1)


def noisy_tones(seconds: float) -> Samples:
    """Pitch, formants and a noise floor: energies of speech without a recording."""
    time_s = np.arange(int(seconds * 16000)) / 16000
    voice = sum(np.sin(2 * np.pi * 130 * k * time_s) / k for k in range(1, 30))
    floor = SPEECHLIKE.normal(size=len(time_s)) * 0.003
    return (0.05 * voice * (1 + np.sin(2 * np.pi * 3 * time_s)) + floor).astype(np.float32)


def reference(audio: Samples) -> Samples:
    extractor = kaldi_native_fbank.OnlineFbank(fbank_options())
    extractor.accept_waveform(16000, audio.tolist())
    return np.stack([extractor.get_frame(i) for i in range(extractor.num_frames_ready)])


def test_they_are_kaldis_but_for_rounding() -> None:
    audio = noisy_tones(4)
    wanted = reference(audio)
    ours = Fbank(len(wanted) - 1).compute([audio[40 : 40 + span_samples(len(wanted) - 1)]])
    assert wanted.shape[1] == BINS
    assert np.abs(ours[0] - wanted[1:]).max() < 1e-3  # frame 1 begins at 160 - LEAD = 40
    assert LEAD_SAMPLES == 120


def test_silence_is_the_floor() -> None:
    silence = Fbank(3).compute([np.zeros(span_samples(3), np.float32)])
    assert np.array_equal(silence, np.full((1, 3, BINS), silence[0, 0, 0]))
    assert silence[0, 0, 0] == pytest.approx(np.log(2.0**-23))


def test_neighbours_change_no_bit() -> None:
    pieces = SPEECHLIKE.normal(size=(7, span_samples(32))).astype(np.float32)
    fbank = Fbank(32)
    together = fbank.compute(pieces)
    for piece, features in zip(pieces, together, strict=True):
        assert np.array_equal(fbank.compute([piece])[0], features)


def test_every_piece_stands_alone() -> None:
    """A frame is the same in a long piece and in a short one that begins with it.

    But for rounding: some processors' matrix products round otherwise at another number of rows.
    An engine has one size of piece, where `test_neighbours_change_no_bit` holds to the last bit.
    """
    audio = noisy_tones(1)
    long = Fbank(90).compute([audio[: span_samples(90)]])[0]
    short = Fbank(10).compute([audio[160 * 50 :][: span_samples(10)]])[0]
    assert np.abs(short - long[50:60]).max() < 1e-4


@pytest.mark.model
def test_sherpa_onnx_computes_exactly_kaldis() -> None:
    """Asked of its own stream: a new version that computes otherwise is seen here."""
    folder: Path = embedded_folder("stt-en-telephone")
    if not (folder / "model.onnx").is_file():
        pytest.skip("stt-en-telephone is not here")
    recogniser = sherpa_onnx.OnlineRecognizer.from_nemo_ctc(
        model=str(folder / "model.onnx"), tokens=str(folder / "tokens.txt"), num_threads=1
    )
    audio = noisy_tones(3)
    wanted = reference(audio)
    stream = recogniser.create_stream()
    stream.accept_waveform(16000, audio)
    theirs = np.array(stream.get_frames(0, len(wanted))).reshape(-1, BINS)
    assert np.abs(theirs - wanted).max() == 0.0


def test_numpy_keeps_to_the_devices_one_thread() -> None:
    threadpool_limits(2, user_api="blas")
    Fbank(3)
    assert {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"} == {1}
