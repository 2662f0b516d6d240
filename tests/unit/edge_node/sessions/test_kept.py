"""What stays of a session without a connection, and how it goes on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.sessions.finals import Finals
from edge_node.sessions.heard import WordsForGood
from edge_node.sessions.kept import check_same, kept_elsewhere, lacked
from edge_node.sessions.opening import Offer, open_as_asked
from heliovox.protocol.audio import AudioFormat
from heliovox.protocol.messages import Resume, Start
from shared.errors import InvalidMessage, ResumeMismatch

OPENING = open_as_asked(Start(), Offer("here", ("en",), ("ears",), (), 320, 200))


def spoken(count: int, kept_limit: int = 256) -> Finals:
    finals = Finals(kept_limit)
    for number in range(1, count + 1):
        finals.add(WordsForGood(100 * (number - 1), 100 * number, (), "endpoint"), "")
    return finals


@given(count=st.integers(0, 20), data=st.data())
def test_a_caller_is_told_exactly_the_finals_that_he_lacks(count: int, data: st.DataObject) -> None:
    finals = spoken(count)
    acknowledged = data.draw(st.integers(0, count))
    finals.acknowledge(acknowledged)
    came = data.draw(st.integers(acknowledged, count))
    again = lacked(finals, Resume("t", came, 100 * came))
    assert [final.seq for final in again] == list(range(came + 1, count + 1))


@pytest.mark.parametrize(
    ("resume", "field"),
    [
        (Resume("t", 4, 300), "resume.seq"),
        (Resume("t", -1, 0), "resume.seq"),
        (Resume("t", 3, 301), "resume.through_sample"),
        (Resume("t", 3, -1), "resume.through_sample"),
        (Resume("t", 1, 100), "resume.seq"),
    ],
)
def test_what_does_not_go_on_names_both_positions(resume: Resume, field: str) -> None:
    finals = spoken(3)
    finals.acknowledge(2)
    with pytest.raises(ResumeMismatch) as refused:
        lacked(finals, resume)
    assert refused.value.field == field
    assert any(number in refused.value.message for number in ("3", "300"))


def test_finals_that_were_dropped_unacknowledged_are_not_passed_over() -> None:
    finals = spoken(5, kept_limit=2)
    assert [final.seq for final in lacked(finals, Resume("t", 3, 300))] == [4, 5]
    with pytest.raises(ResumeMismatch, match="kept from 4"):
        lacked(finals, Resume("t", 2, 200))


def test_what_another_node_had_goes_on_from_what_its_caller_knows() -> None:
    kept = kept_elsewhere("s1", OPENING, Resume("t", 7, 12_000))
    finals = kept.finals
    assert (kept.through_sample, finals.acknowledged, finals.acked_sample) == (12_000, 7, 12_000)
    assert finals.add(WordsForGood(12_000, 13_000, (), "endpoint"), "").seq == 8
    assert lacked(finals, Resume("t2", 7, 12_000))[0].seq == 8


@pytest.mark.parametrize(
    "resume", [Resume("t", -1, 0), Resume("t", 0, -1), Resume("t", 0, 1 << 60)]
)
def test_numbers_that_no_session_has_are_refused(resume: Resume) -> None:
    with pytest.raises(InvalidMessage, match="no place"):
        kept_elsewhere("s1", OPENING, resume)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (Start(kind="conversation"), "kind"),
        (Start(audio=AudioFormat("mulaw", 8000)), "audio"),
        (Start(endpoint_silence_ms=900), "endpoint_silence_ms"),
    ],
)
def test_a_session_goes_on_only_as_it_was_opened(asked: Start, field: str) -> None:
    offer = Offer("here", ("en",), ("ears",), ("eve",), 320, 200)
    with pytest.raises(ResumeMismatch) as refused:
        check_same(OPENING, open_as_asked(asked, offer))
    assert refused.value.field == field
    check_same(OPENING, open_as_asked(Start(partials=False), offer))
