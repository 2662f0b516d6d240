import io
import wave

import pytest

from edge_node.protocols.wav import streaming_header
from heliovox.protocol.audio import AudioFormat


def test_the_standard_library_reads_it() -> None:
    form = AudioFormat("pcm_s16le", 24000)
    with wave.open(io.BytesIO(streaming_header(form) + bytes(8))) as reader:
        assert (reader.getframerate(), reader.getnchannels(), reader.getsampwidth()) == (
            24000,
            1,
            2,
        )
        assert reader.readframes(4) == bytes(8)


@pytest.mark.parametrize(("encoding", "tag"), [("mulaw", 7), ("alaw", 6)])
def test_companded_formats_are_named(encoding: str, tag: int) -> None:
    header = streaming_header(AudioFormat(encoding, 8000))  # type: ignore[arg-type]
    assert int.from_bytes(header[16:20], "little") == 18
    assert int.from_bytes(header[20:22], "little") == tag
    assert header[-8:-4] == b"data"
