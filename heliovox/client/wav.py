"""The header of a WAV file, as far as speech needs it. Pure: the bytes are handed in.

Source: Microsoft's RIFF and WAVEFORMATEXTENSIBLE descriptions, and EBU Tech 3306 for RF64.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from heliovox.client.errors import UnreadableAudio
from heliovox.protocol.audio import AudioFormat, Encoding, rates_hz

PCM, FLOAT, ALAW, MULAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_WIDTHS_BITS = {PCM: (8, 16, 24, 32), FLOAT: (32, 64), ALAW: (8,), MULAW: (8,)}
_ENCODINGS: dict[int, Encoding] = {ALAW: "alaw", MULAW: "mulaw"}
_UNKNOWN_SIZES = {0, 0x7FFFFFFF, 0xFFFFFFFF}
_MAX_CHANNELS = 32
_MAX_CHUNKS = 1000
_CONVERT = "convert it first, for example: sox {name} -r 16000 -c 1 -b 16 out.wav"

Take = Callable[[int], bytes]
"""The next bytes of the file: as many as asked for, fewer only at its end."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the samples of a file lie."""

    code: int
    """PCM, FLOAT, ALAW or MULAW."""
    channels: int
    sample_rate: int
    bits: int
    data_bytes: int | None
    """None where the header does not know: then they go on to the end of the file."""

    @property
    def frame_bytes(self) -> int:
        """One sample of every channel."""
        return self.channels * self.bits // 8

    @property
    def audio(self) -> AudioFormat:
        """What the samples can be sent as: companded ones as they are, all else as mono PCM16."""
        return AudioFormat(_ENCODINGS.get(self.code, "pcm_s16le"), self.sample_rate)


def read_header(take: Take, name: str) -> Layout:
    """Reads up to the first sample.

    Raises:
        UnreadableAudio: no WAV file, a broken one, or a form that cannot be sent.
    """
    if take(4) not in {b"RIFF", b"RF64"} or take(8)[4:] != b"WAVE":
        raise UnreadableAudio(name, "not a WAV file", "name its form with --encoding and --rate")
    form: bytes | None = None
    for _ in range(_MAX_CHUNKS):
        kind, size = _chunk(take, name)
        if kind == b"data":
            return _layout(form, size, name)
        if kind == b"fmt ":
            form = _exactly(take, min(size, 40), name)
            _skip(take, size - len(form) + size % 2)
        else:
            _skip(take, size + size % 2)
    raise _broken(name, "no samples found")


def _chunk(take: Take, name: str) -> tuple[bytes, int]:
    kind, size = struct.unpack("<4sI", _exactly(take, 8, name))
    return kind, size


def _layout(form: bytes | None, size: int, name: str) -> Layout:
    if form is None or len(form) < 16:
        raise _broken(name, "samples before their format")
    code, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", form)
    if code == EXTENSIBLE and len(form) >= 26:
        (code,) = struct.unpack_from("<H", form, 24)
    most = 1 if code in _ENCODINGS else _MAX_CHANNELS
    if bits not in _WIDTHS_BITS.get(code, ()) or not 1 <= channels <= most:
        what = f"format {code} with {bits} bits and {channels} channels"
        raise UnreadableAudio(name, what, _CONVERT.format(name=name))
    layout = Layout(code, channels, rate, bits, None if size in _UNKNOWN_SIZES else size)
    if block != layout.frame_bytes:
        raise _broken(name, f"frames of {block} bytes where {layout.frame_bytes} are due")
    check_rate(layout.audio, name)
    return layout


def check_rate(audio: AudioFormat, name: str) -> None:
    """Refuses a rate that the protocol does not have.

    Raises:
        UnreadableAudio: with the rates that there are.
    """
    if audio.sample_rate not in (rates := rates_hz(audio.encoding)):
        known = ", ".join(map(str, rates))
        why = f"sample rate {audio.sample_rate} is none of {known} ({audio.encoding})"
        raise UnreadableAudio(name, why, _CONVERT.format(name=name))


def _exactly(take: Take, count: int, name: str) -> bytes:
    if len(data := take(count)) != count:
        raise _broken(name, "it ends within its header")
    return data


def _skip(take: Take, count: int) -> None:
    while count > 0 and (data := take(min(count, 65536))):
        count -= len(data)


def _broken(name: str, why: str) -> UnreadableAudio:
    return UnreadableAudio(name, f"a broken WAV file: {why}", "write it again, or send it as raw")


def header(layout: Layout) -> bytes:
    """What `read_header` reads, in its shortest form."""
    size = 0xFFFFFFFF if layout.data_bytes is None else layout.data_bytes
    block = layout.frame_bytes
    form = struct.pack(
        "<HHIIHH",
        layout.code,
        layout.channels,
        layout.sample_rate,
        layout.sample_rate * block,
        block,
        layout.bits,
    )
    riff = struct.pack("<4sI4s", b"RIFF", min(size + 36, 0xFFFFFFFF), b"WAVE")
    return riff + struct.pack("<4sI", b"fmt ", 16) + form + struct.pack("<4sI", b"data", size)
