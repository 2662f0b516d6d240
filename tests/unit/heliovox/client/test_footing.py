"""Where a session goes on, in the application's samples and in the node's."""

import pytest

from heliovox.client.errors import NodeMisbehaved
from heliovox.client.footing import Arrival, Footing
from heliovox.client.keeping import KeptAudio
from heliovox.protocol import messages as m
from heliovox.protocol.audio import AudioFormat

PCM = AudioFormat("pcm_s16le", 8000)


def started(from_sample: int = 0, *, session: str = "s", number: int | None = 1) -> m.Started:
    recovery = None if number is None else m.Recovery(f"token-{number}", 120.0, number)
    return m.Started(
        session, "n", 1, "recognition", "en", "m", None, PCM, PCM, 1, 1,
        recovery=recovery, from_sample=from_sample,
    )  # fmt: skip


def under_way(sent: int, boundary: int = 0, kept: int = 1000) -> tuple[Footing, KeptAudio]:
    footing, audio = Footing(started=started()), KeptAudio(PCM, kept / 8000)
    audio.add(bytes(2 * sent))
    footing.passed(boundary)
    return footing, audio


def final(seq: int, through: int) -> m.Final:
    return m.Final(seq, through - 10, through, "", (), "endpoint")


def test_a_session_is_gone_on_with_by_the_latest_token_and_the_furthest_boundary() -> None:
    footing, audio = under_way(100, boundary=40)
    footing.seq = 3
    footing.passed(20)
    assert footing.resume() == m.Resume("token-1", 3, 40)
    assert footing.arrived(started(60, number=2), audio) == Arrival(60)
    assert footing.resume() == m.Resume("token-2", 3, 40)


def test_a_node_that_gives_no_token_cannot_be_resumed_at() -> None:
    assert Footing(started=started(number=None)).resume() is None
    assert Footing().resume() is None


@pytest.mark.parametrize("at", [39, 101])
def test_a_node_goes_on_neither_before_words_that_came_nor_behind_what_was_sent(at: int) -> None:
    footing, audio = under_way(100, boundary=40)
    with pytest.raises(NodeMisbehaved, match=str(at)):
        footing.arrived(started(at), audio)


def test_behind_a_gap_positions_go_on_as_the_application_counts() -> None:
    """What the node says of the time before the gap stays where it was."""
    footing, audio = under_way(200, boundary=40, kept=100)
    assert footing.arrived(started(60, number=2), audio) == Arrival(100, (60, 100))
    assert footing.bases.shifted(final(1, 60)).through_sample == 60
    assert footing.bases.shifted(final(2, 75)).through_sample == 115
    assert footing.bases.shifted(m.Progress(70, 65)) == m.Progress(110, 105)
    footing.passed(115)
    assert footing.resume() == m.Resume("token-2", 0, 75)


def test_words_before_a_gap_that_never_came_are_part_of_the_next_one() -> None:
    """The node that had them is gone: another one goes on where they end for the caller."""
    footing, audio = under_way(200, boundary=40, kept=100)
    footing.arrived(started(60, number=2), audio)
    assert footing.resume() == m.Resume("token-2", 0, 40)
    assert footing.arrived(started(40, number=3), audio) == Arrival(100, (40, 100))
    assert footing.bases.shifted(final(1, 60)).through_sample == 120
    assert footing.arrived(started(60, number=4), audio) == Arrival(120)


def test_a_node_that_knows_no_recovery_counts_from_its_own_beginning() -> None:
    """An older version, in the middle of an upgrade."""
    footing, audio = under_way(200, boundary=40)
    footing.seq = 3
    assert footing.arrived(started(session="s-2", number=None), audio) == Arrival(40)
    assert footing.bases.shifted(final(1, 20)) == m.Final(4, 50, 60, "", (), "endpoint")
    assert footing.arrived(started(session="s-3"), audio) == Arrival(40)
    assert footing.resume() == m.Resume("token-1", 0, 0)
