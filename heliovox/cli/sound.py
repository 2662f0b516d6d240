"""The sound card: a microphone and a loudspeaker, by whatever this machine has."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from heliovox.client.errors import ClientError
from heliovox.client.files import PIECE_MS, AudioSource
from heliovox.protocol.audio import AudioFormat

_INSTALL = "pip install 'heliovox[mic]'"
_NO_APLAY = "aplay cannot play here; write a file with -o out.wav"
Play = Callable[[bytes], None]


class NoSound(ClientError):
    """No microphone or loudspeaker that we can use; the message says what to do."""


@contextmanager
def microphone(audio: AudioFormat) -> Iterator[AudioSource]:
    """What the microphone hears, until nobody reads any more.

    Raises:
        NoSound: no `sounddevice`, no microphone, or a form that it does not have.
    """
    _only_pcm(audio)
    frames = audio.samples(PIECE_MS)
    with _device("RawInputStream", audio) as stream:
        yield AudioSource("microphone", audio, iter(lambda: bytes(stream.read(frames)[0]), b""))


@contextmanager
def loudspeaker(audio: AudioFormat) -> Iterator[Play]:
    """A function that plays samples, and returns when there is room for more.

    Raises:
        NoSound: neither `sounddevice` nor aplay.
    """
    _only_pcm(audio)
    if _sounddevice() is not None:
        with _device("RawOutputStream", audio) as stream:
            yield stream.write
    elif (program := shutil.which("aplay")) is not None:
        with _aplay(program, audio) as play:
            yield play
    else:
        raise NoSound(f"cannot play: {_INSTALL}, install aplay, or write a file with -o out.wav")


@contextmanager
def _device(kind: str, audio: AudioFormat) -> Iterator[Any]:
    if (sounddevice := _sounddevice()) is None:
        raise NoSound(f"no way to the sound card: {_INSTALL}")
    try:
        with getattr(sounddevice, kind)(audio.sample_rate, channels=1, dtype="int16") as stream:
            yield stream
    except sounddevice.PortAudioError as error:
        raise NoSound(f"the sound card does not work: {error}; use a file instead") from error


def _sounddevice() -> Any | None:
    try:
        import sounddevice  # noqa: PLC0415 an extra, and slow to import
    except (ImportError, OSError):  # OSError: PortAudio is missing
        return None
    return sounddevice


@contextmanager
def _aplay(program: str, audio: AudioFormat) -> Iterator[Play]:
    command = [program, "-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", str(audio.sample_rate)]
    process = subprocess.Popen(  # noqa: S603 a fixed command
        command,
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,  # what is buffered for a player that left could not even be closed
        start_new_session=True,  # Ctrl-C is for us; what was played so far is played to its end
    )
    with process:
        assert process.stdin is not None
        pipe = process.stdin

        def play(data: bytes) -> None:
            rest = memoryview(data)
            try:
                while rest:
                    rest = rest[pipe.write(rest) :]
            except BrokenPipeError as error:
                raise NoSound(_NO_APLAY) from error

        yield play
        pipe.close()
        if process.wait() != 0:
            raise NoSound(_NO_APLAY)


def _only_pcm(audio: AudioFormat) -> None:
    if audio.encoding != "pcm_s16le":
        raise NoSound(f"a sound card takes pcm_s16le, not {audio.encoding}; leave --encoding out")
