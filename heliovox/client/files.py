"""Audio files as a session takes them: WAV by ourselves, other containers by `soundfile`."""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from heliovox.client import wav
from heliovox.client.errors import UnreadableAudio
from heliovox.client.mixing import to_wire
from heliovox.protocol.audio import AudioFormat

PIECE_MS = 100
_WAV_STARTS = (b"RIFF", b"RF64")


@dataclass(frozen=True, slots=True)
class AudioSource:
    """Audio that waits to be read. `pieces` can be gone through once and blocks while it reads."""

    name: str
    audio: AudioFormat
    """What to open the session with."""
    pieces: Iterator[bytes]
    """About PIECE_MS of audio each."""


@contextmanager
def open_audio(path: Path, raw: AudioFormat | None = None) -> Iterator[AudioSource]:
    """Opens a file of audio.

    Args:
        path: WAV (PCM, float, mu-law, A-law), or with the extra `audio` FLAC, OGG and others.
        raw: the format of a file without a header; None looks for one.

    Raises:
        UnreadableAudio: not audio, or none that can be sent; while reading, too.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        if raw is not None or start in _WAV_STARTS:
            yield read_audio(file, path.name, raw)
        else:
            with _open_with_soundfile(file, path.name) as source:
                yield source


def read_audio(file: BinaryIO, name: str, raw: AudioFormat | None = None) -> AudioSource:
    """Audio from a stream that cannot be rewound, a pipe for example: WAV, or `raw` samples.

    Raises:
        UnreadableAudio: no WAV file, where `raw` is None.
    """
    if raw is not None:
        wav.check_rate(raw, name)
        piece = raw.samples(PIECE_MS) * raw.bytes_per_sample
        return AudioSource(name, raw, iter(lambda: _take(file, piece), b""))
    layout = wav.read_header(lambda count: _take(file, count), name)
    return AudioSource(name, layout.audio, _frames(file, layout))


def _frames(file: BinaryIO, layout: wav.Layout) -> Iterator[bytes]:
    left = layout.data_bytes
    piece = layout.audio.samples(PIECE_MS) * layout.frame_bytes
    while data := _take(file, piece if left is None else min(piece, left)):
        left = None if left is None else left - len(data)
        yield to_wire(data[: len(data) - len(data) % layout.frame_bytes], layout)


def _take(file: BinaryIO, count: int) -> bytes:
    """`count` bytes, fewer only at the end: a pipe gives what it has."""
    parts: list[bytes] = []
    while count > 0 and (data := file.read(count)):
        parts.append(data)
        count -= len(data)
    return b"".join(parts)


def _open_with_soundfile(file: BinaryIO, name: str) -> AbstractContextManager[AudioSource]:
    try:
        import soundfile  # noqa: PLC0415 an extra, and slow to import
    except (ImportError, OSError) as error:
        remedy = "pip install 'heliovox[audio]', or convert it to WAV"
        raise UnreadableAudio(name, "not a WAV file", remedy) from error
    return _decoded(soundfile.SoundFile, soundfile.SoundFileError, file, name)


@contextmanager
def _decoded(
    sound_file: Callable[..., Any], failure: type[Exception], file: BinaryIO, name: str
) -> Iterator[AudioSource]:
    try:
        with sound_file(file) as sound:
            audio = AudioFormat("pcm_s16le", sound.samplerate)
            wav.check_rate(audio, name)
            layout = wav.Layout(wav.PCM, sound.channels, sound.samplerate, 16, None)
            yield AudioSource(name, audio, _blocks(sound, layout))
    except failure as error:
        remedy = "convert it to WAV, or name its form with --encoding and --rate"
        raise UnreadableAudio(name, f"no audio that we know ({error})", remedy) from error


def _blocks(sound: Any, layout: wav.Layout) -> Iterator[bytes]:
    while block := cast("bytes", sound.buffer_read(layout.audio.samples(PIECE_MS), "int16")[:]):
        yield to_wire(bytes(block), layout)


def wav_header(audio: AudioFormat, data_bytes: int | None = None) -> bytes:
    """The header of a mono WAV file; None where its length is not known yet."""
    code = {"pcm_s16le": wav.PCM, "mulaw": wav.MULAW, "alaw": wav.ALAW}[audio.encoding]
    return wav.header(
        wav.Layout(code, 1, audio.sample_rate, audio.bytes_per_sample * 8, data_bytes)
    )


def whole_wav(audio: AudioFormat, data: bytes) -> bytes:
    """A WAV file around samples."""
    file = io.BytesIO()
    file.write(wav_header(audio, len(data)))
    file.write(data)
    return file.getvalue()
