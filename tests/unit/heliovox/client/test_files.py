import io
import struct
import sys
import wave
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliovox.client import UnreadableAudio
from heliovox.client.files import open_audio, read_audio, wav_header, whole_wav
from heliovox.protocol.audio import AudioFormat

RAMP = np.linspace(-32768, 32767, 3000).astype(np.int16)
EXTENSIBLE = struct.pack("<HHIIHH", 0xFFFE, 1, 16000, 32000, 2, 16) + struct.pack(
    "<HHIH14s", 22, 16, 4, 1, b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
)


class Pipe(io.RawIOBase):
    """Gives a little at a time and cannot be rewound."""

    def __init__(self, data: bytes, step: int = 7) -> None:
        self._inner, self._step = io.BytesIO(data), step

    def read(self, size: int = -1) -> bytes:
        return self._inner.read(min(size, self._step) if size >= 0 else self._step)


def heard(file: BinaryIO, raw: AudioFormat | None = None) -> tuple[AudioFormat, bytes]:
    source = read_audio(file, "it", raw)
    return source.audio, b"".join(source.pieces)


def riff(form: bytes, data: bytes, size: int | None = None, extra: bytes = b"") -> bytes:
    chunk = struct.pack("<4sI", b"fmt ", len(form)) + form + extra
    body = (
        b"WAVE" + chunk + struct.pack("<4sI", b"data", len(data) if size is None else size) + data
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def plain(code: int, channels: int, rate: int, bits: int) -> bytes:
    block = channels * bits // 8
    return struct.pack("<HHIIHH", code, channels, rate, rate * block, block, bits)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_integers_of_every_width_become_mono_pcm16(width: int, channels: int) -> None:
    """Written by the standard library; equal channels mix to themselves."""
    exact = RAMP.astype(np.int64) << 16
    as_file = (exact >> (32 - 8 * width)) + (128 if width == 1 else 0)
    frames = b"".join(
        int(v).to_bytes(width, "little", signed=width > 1) * channels for v in as_file
    )
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((channels, width, 24000, 0, "NONE", ""))
        file.writeframes(frames)
    audio, got = heard(io.BytesIO(buffer.getvalue()))
    assert audio == AudioFormat("pcm_s16le", 24000)
    want = RAMP if width > 1 else (RAMP >> 8) << 8
    assert np.array_equal(np.frombuffer(got, "<i2"), want)


@pytest.mark.parametrize(("bits", "code"), [(32, "<f4"), (64, "<f8")])
def test_floats_become_pcm16_and_what_is_no_number_becomes_silence(bits: int, code: str) -> None:
    values = np.array([0, 0.5, -1, 1, 7, -7, np.nan, np.inf, -np.inf], dtype=code)
    audio, got = heard(io.BytesIO(riff(plain(3, 1, 8000, bits), values.tobytes())))
    assert audio == AudioFormat("pcm_s16le", 8000)
    want = [0, 16384, -32768, 32767, 32767, -32768, 0, 32767, -32768]
    assert np.frombuffer(got, "<i2").tolist() == want


@pytest.mark.parametrize(("code", "encoding"), [(6, "alaw"), (7, "mulaw")])
def test_companded_samples_stay_as_they_are(code: int, encoding: str) -> None:
    data = bytes(range(256)) * 5
    audio, got = heard(io.BytesIO(riff(plain(code, 1, 8000, 8) + b"\0\0", data)))
    assert (audio.encoding, audio.sample_rate, got) == (encoding, 8000, data)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, 10**6])
def test_a_size_that_was_not_known_when_writing_means_all_there_is(size: int) -> None:
    data = RAMP.tobytes()
    assert heard(Pipe(riff(plain(1, 1, 16000, 16), data, size)))[1] == data  # type: ignore[arg-type]


def test_other_chunks_and_what_follows_the_samples_are_passed_over() -> None:
    notes = struct.pack("<4sI", b"LIST", 3) + b"abc\0" + struct.pack("<4sI", b"fact", 4) + bytes(4)
    file = riff(EXTENSIBLE, b"\1\2", extra=notes) + struct.pack("<4sI", b"LIST", 2) + b"xy"
    assert heard(io.BytesIO(file)) == (AudioFormat(), b"\1\2")


def test_half_a_frame_at_the_end_is_dropped() -> None:
    assert heard(io.BytesIO(riff(plain(1, 2, 16000, 16), bytes(4) + b"\1\1\1")))[1] == bytes(2)


def test_raw_samples_need_a_name_for_their_form() -> None:
    assert heard(Pipe(b"abc"), AudioFormat.telephone()) == (AudioFormat.telephone(), b"abc")  # type: ignore[arg-type]
    with pytest.raises(UnreadableAudio, match="--encoding"):
        heard(Pipe(b"abc"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "form",
    [plain(1, 1, 11025, 16), plain(1, 1, 16000, 12), plain(2, 1, 16000, 16), plain(1, 0, 16000, 16),
     plain(7, 1, 16000, 8), plain(7, 2, 8000, 8), plain(1, 99, 16000, 16), b"short",
     struct.pack("<HHIIHH", 1, 1, 16000, 32000, 3, 16)],
)  # fmt: skip
def test_what_cannot_be_sent_is_refused_with_a_remedy(form: bytes) -> None:
    with pytest.raises(UnreadableAudio) as caught:
        heard(io.BytesIO(riff(form, bytes(100))))
    assert caught.value.remedy


@given(st.binary(max_size=200), st.integers(0, 60), st.booleans())
def test_any_bytes_are_audio_or_unreadable(noise: bytes, at: int, insert: bool) -> None:
    """Noise alone, and noise somewhere in a good file."""
    good = riff(EXTENSIBLE, bytes(50))
    with suppress(UnreadableAudio):
        heard(io.BytesIO(noise))
    with suppress(UnreadableAudio):
        heard(io.BytesIO(good[:at] + noise + good[at if insert else at + len(noise) :]))


@pytest.mark.parametrize(
    "audio", [AudioFormat(), AudioFormat.telephone(), AudioFormat("alaw", 8000)]
)
def test_what_is_written_reads_back(audio: AudioFormat) -> None:
    assert heard(io.BytesIO(whole_wav(audio, b"abcd"))) == (audio, b"abcd")
    assert heard(io.BytesIO(wav_header(audio) + b"abcd")) == (audio, b"abcd")


@pytest.mark.parametrize("channels", [1, 2])
def test_other_containers_are_read_by_soundfile(tmp_path: Path, channels: int) -> None:
    soundfile = pytest.importorskip("soundfile")
    samples = np.repeat(RAMP[:, None], channels, axis=1)
    soundfile.write(tmp_path / "a.flac", samples, 16000, subtype="PCM_16")
    with open_audio(tmp_path / "a.flac") as source:
        assert source.audio == AudioFormat()
        assert b"".join(source.pieces) == RAMP.tobytes()


def test_without_soundfile_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    (tmp_path / "a.flac").write_bytes(b"fLaC" + bytes(100))
    with (
        pytest.raises(UnreadableAudio, match=r"heliovox\[audio\]"),
        open_audio(tmp_path / "a.flac"),
    ):
        pass


def test_a_file_that_is_no_audio_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(UnreadableAudio, match=r"a\.txt"), open_audio(tmp_path / "a.txt"):
        pass
