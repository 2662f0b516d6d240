from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliovox.protocol.audio import ENCODINGS, AudioFormat, rates_hz
from shared.audio import Decoder, Samples, check_format, decode, encode, to_pcm16
from shared.errors import InvalidMessage, Unsupported

PCM = AudioFormat("pcm_s16le", 16000)
FORMATS = [AudioFormat(e, r) for e in ENCODINGS for r in rates_hz(e)]


def heard(audio: AudioFormat, pieces: list[bytes]) -> Samples:
    decoder = Decoder(audio)
    return np.concatenate([decoder.push(piece) for piece in pieces])


@pytest.mark.parametrize("audio", FORMATS, ids=str)
def test_every_format_of_the_protocol_is_spoken(audio: AudioFormat) -> None:
    check_format(audio)
    sound = np.sin(np.arange(800) * 0.05).astype(np.float32) * np.float32(0.5)
    back = decode(audio, encode(audio, sound))
    assert len(encode(audio, sound)) == 800 * audio.bytes_per_sample
    assert np.abs(back - sound).max() < (1e-4 if audio.encoding == "pcm_s16le" else 0.02)


@given(data=st.binary(max_size=64).map(lambda d: d[: len(d) // 2 * 2]))
def test_pcm_bytes_come_back_as_they_were(data: bytes) -> None:
    assert encode(PCM, decode(PCM, data)) == data


def test_full_scale_is_one() -> None:
    assert decode(PCM, b"\x00\x80\xff\x7f").tolist() == [-1.0, 32767 / 32768]


def test_what_is_too_loud_is_clipped_and_what_is_no_number_is_silent() -> None:
    samples = np.array([2.0, -2.0, np.inf, -np.inf, np.nan, 1.0], np.float32)
    assert to_pcm16(samples).tolist() == [32767, -32768, 32767, -32768, 0, 32767]
    assert np.isnan(samples[4]), "the caller's array is left alone"


@pytest.mark.parametrize(
    ("audio", "field"),
    [
        (AudioFormat("opus", 16000), "audio.encoding"),  # type: ignore[arg-type]
        (AudioFormat("pcm_s16le", 11025), "audio.sample_rate"),
        (AudioFormat("mulaw", 16000), "audio.sample_rate"),
        (AudioFormat("pcm_s16le", 0), "audio.sample_rate"),
        (AudioFormat("pcm_s16le", -8000), "audio.sample_rate"),
    ],
)
def test_other_formats_are_refused_by_name(audio: AudioFormat, field: str) -> None:
    with pytest.raises(Unsupported) as refused:
        check_format(audio)
    assert refused.value.field == field
    assert refused.value.value is not None
    assert "use one of" in (refused.value.remedy or "")
    with pytest.raises(Unsupported):
        Decoder(audio)


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(InvalidMessage) as refused:
        decode(PCM, b"abc")
    assert refused.value.value == "3"


@given(data=st.binary(max_size=24), cuts=st.lists(st.integers(0, 24)))
def test_packets_may_cut_samples(data: bytes, cuts: list[int]) -> None:
    pieces = [data[a:b] for a, b in pairwise([0, *sorted(cuts), len(data)])]
    whole = decode(PCM, data[: len(data) // 2 * 2])
    assert np.array_equal(heard(PCM, pieces), whole)


def test_a_byte_that_waits_for_its_other_half_is_counted() -> None:
    decoder = Decoder(PCM)
    decoder.push(b"abc")
    assert decoder.pending_bytes == 1
    decoder.push(b"d")
    assert decoder.pending_bytes == 0
