import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliovox.client.keeping import KeptAudio
from heliovox.protocol.audio import AudioFormat

FORMATS = st.sampled_from([AudioFormat("mulaw", 8000), AudioFormat("pcm_s16le", 8000)])


@given(audio=FORMATS, pieces=st.lists(st.binary(max_size=9)), at=st.integers(0, 40))
def test_what_is_not_released_can_be_sent_again(
    audio: AudioFormat, pieces: list[bytes], at: int
) -> None:
    """However it was cut, also within a sample."""
    kept, whole = KeptAudio(audio), b"".join(pieces)
    for piece in pieces:
        kept.add(piece)
    at = min(at, kept.sent_samples)
    kept.release(at)
    assert kept.from_sample == at
    assert kept.since(at) == whole[at * audio.bytes_per_sample :]
    if at:
        with pytest.raises(LookupError):
            kept.since(at - 1)


@given(pieces=st.lists(st.binary(max_size=9)), releases=st.lists(st.integers(0, 60), max_size=3))
def test_the_bound_holds_and_the_newest_stays(pieces: list[bytes], releases: list[int]) -> None:
    kept = KeptAudio(AudioFormat("pcm_s16le", 8000), kept_s=4 / 8000)
    for piece in pieces:
        kept.add(piece)
    for sample in releases:
        kept.release(sample)
    tail = kept.since(kept.from_sample)
    assert len(tail) <= 8
    assert b"".join(pieces).endswith(tail)
    assert kept.sent_samples == len(b"".join(pieces)) // 2
