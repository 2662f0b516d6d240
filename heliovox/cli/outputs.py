"""Where said audio goes: a file, standard output, or the loudspeaker."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from heliovox.cli.sound import Play, loudspeaker
from heliovox.client.files import wav_header
from heliovox.protocol.audio import AudioFormat


@contextmanager
def output(target: str | None, audio: AudioFormat, *, header: bool) -> Iterator[Play]:
    """A function that takes samples. None plays them, - is standard output."""
    if target is None:
        with _loudspeaker(audio) as write:
            yield write
    elif target == "-":
        with _standard_output(audio, header=header) as write:
            yield write
    else:
        with _file(Path(target), audio, header=header) as write:
            yield write


@contextmanager
def _loudspeaker(audio: AudioFormat) -> Iterator[Play]:
    """Opened by the first audio: a node that cannot be reached is the more useful error."""
    with ExitStack() as opened:
        play: Play | None = None

        def write(data: bytes) -> None:
            nonlocal play
            play = play or opened.enter_context(loudspeaker(audio))
            play(data)

        yield write


@contextmanager
def _standard_output(audio: AudioFormat, *, header: bool) -> Iterator[Play]:
    stream, due = sys.stdout.buffer, wav_header(audio) if header else b""

    def write(data: bytes) -> None:
        nonlocal due
        stream.write(due + data)
        stream.flush()  # a pipe hears it as it is made
        due = b""

    yield write


@contextmanager
def _file(path: Path, audio: AudioFormat, *, header: bool) -> Iterator[Play]:
    """Whatever ends the writing, the header says what is there; a file of nothing is not left."""
    written = 0
    try:
        with path.open("wb") as file:

            def write(data: bytes) -> None:
                nonlocal written
                written += file.write(data)

            file.write(wav_header(audio, 0) if header else b"")
            try:
                yield write
            finally:
                if header and file.seekable():
                    file.seek(0)
                    file.write(wav_header(audio, written))
    finally:
        if not written and path.is_file():
            path.unlink()
