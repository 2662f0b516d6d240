import os
import sys
import types
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest

from heliovox.cli.outputs import output
from heliovox.cli.sound import NoSound, loudspeaker, microphone
from heliovox.protocol.audio import AudioFormat


class Card:
    """What we use of `sounddevice`."""

    def __init__(self) -> None:
        self.played = b""
        card = self

        class Stream:
            def __init__(self, rate: int, *, channels: int, dtype: str) -> None:
                assert (rate, channels, dtype) == (16000, 1, "int16")

            def __enter__(self) -> Self:
                return self

            def __exit__(self, *_: object) -> None:
                pass

            def read(self, frames: int) -> tuple[bytes, bool]:
                return bytes(frames * 2), False

            def write(self, data: bytes) -> None:
                card.played += data

        self.module = types.SimpleNamespace(
            RawInputStream=Stream, RawOutputStream=Stream, PortAudioError=ValueError
        )


@pytest.fixture
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    card = Card()
    monkeypatch.setitem(sys.modules, "sounddevice", card.module)
    return card


def test_a_card_plays_and_hears(card: Card) -> None:
    with loudspeaker(AudioFormat()) as play:
        play(b"ab")
    with microphone(AudioFormat()) as source:
        assert next(source.pieces) == bytes(3200)
    assert card.played == b"ab"


@pytest.mark.usefixtures("no_card")
def test_without_a_card_aplay_plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "aplay"
    program.write_text(f"#!/bin/sh\necho $* > {tmp_path}/arguments\ncat > {tmp_path}/played\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    with loudspeaker(AudioFormat("pcm_s16le", 8000)) as play:
        play(b"abcd")
    assert (tmp_path / "played").read_bytes() == b"abcd"
    assert "-r 8000" in (tmp_path / "arguments").read_text()


@pytest.mark.usefixtures("no_card")
@pytest.mark.parametrize("audio", [b"ab", bytes(1 << 20)])
def test_an_aplay_that_fails_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, audio: bytes
) -> None:
    """Whether it leaves before or after all was written to it."""
    program = tmp_path / "aplay"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    with pytest.raises(NoSound, match="-o"), output(None, AudioFormat(), header=True) as write:
        write(audio)


@pytest.mark.usefixtures("no_card")
def test_with_nothing_that_plays_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NoSound, match="-o"), loudspeaker(AudioFormat()):
        pass
    with pytest.raises(NoSound, match="pip install"), microphone(AudioFormat()):
        pass


@pytest.mark.usefixtures("card")
def test_a_card_takes_no_telephone_audio() -> None:
    with pytest.raises(NoSound, match="mulaw"), loudspeaker(AudioFormat.telephone()):
        pass


def test_a_file_is_whole_whatever_ends_the_writing(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    with suppress(KeyError), output(str(file), AudioFormat(), header=True) as write:
        write(b"abcd")
        raise KeyError
    data = file.read_bytes()
    assert (data[40:44], data[44:]) == (b"\4\0\0\0", b"abcd")


def test_a_file_of_nothing_is_not_left_behind(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    with pytest.raises(KeyError), output(str(file), AudioFormat(), header=True):
        raise KeyError
    assert not file.exists()
