"""Texts that were asked for, when the connection is lost."""

from heliovox.client.events import AudioOut
from heliovox.client.texts import INTERRUPTED, Texts
from heliovox.protocol import messages as m
from heliovox.protocol.audio import AudioFormat

ONE, TWO = m.Speak("1", "one"), m.Speak("2", "two")


def asked(*speaks: m.Speak) -> Texts:
    texts = Texts(AudioFormat())
    for speak in speaks:
        texts.asked(speak, behind=False)
    return texts


def test_a_text_of_which_nothing_came_is_asked_for_again() -> None:
    texts = asked(ONE, TWO)
    assert texts.unsaid() == []
    assert texts.moved() == []
    assert texts.unsaid() == [ONE, TWO]
    assert texts.unsaid() == []


def test_a_text_that_had_begun_is_over_and_its_end_says_how_much_of_it_came() -> None:
    texts = asked(ONE, TWO)
    texts.heard(m.Speaking("1", "mouth", AudioFormat()))
    texts.heard(AudioOut("1", bytes(10)))
    notice, spoken = texts.moved()
    assert isinstance(notice, m.Notice)
    assert (notice.code, notice.id) == (INTERRUPTED, "1")
    assert spoken == m.Spoken("1", 5, cancelled=True)
    assert texts.unsaid() == [TWO]
    assert texts.moved() == []


def test_what_was_said_or_cancelled_is_not_asked_for_again() -> None:
    texts = asked(ONE, TWO)
    texts.heard(m.Spoken("1", 5, cancelled=False))
    texts.cancelled(m.Cancel("2"), behind=False)
    assert texts.moved() == [m.Spoken("2", 0, cancelled=True)]
    assert texts.unsaid() == []


def test_what_is_asked_while_the_next_node_is_told_reaches_it_in_order() -> None:
    texts = asked(ONE)
    texts.moved()
    texts.asked(TWO, behind=True)
    texts.cancelled(m.Cancel("1"), behind=True)
    assert texts.unsaid() == [ONE, TWO, m.Cancel("1")]
