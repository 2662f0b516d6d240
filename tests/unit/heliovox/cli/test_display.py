import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliovox.cli.display import aside, display_for, live_line, printable
from heliovox.client import AudioOut, Event, Gap, Reconnecting, Resumed
from heliovox.protocol import messages as m


def partial(text: str) -> m.Partial:
    return m.Partial(0, 1, text, ())


def final(text: str) -> m.Final:
    return m.Final(1, 0, 1, text, (), "endpoint")


def test_a_terminal_sees_one_line_grow_until_it_is_final() -> None:
    show = display_for(json=False, terminal=True, columns=10)
    assert show(partial("my order")) == "\r\x1b[Kmy order"
    assert show(partial("my order number")) == "\r\x1b[K…r number"
    assert show(final("my order number")) == "\r\x1b[Kmy order number\n"
    assert show(m.Progress(1, 1)) == ""


def test_a_pipe_sees_finals_alone() -> None:
    show = display_for(json=False, terminal=False)
    assert [show(partial("a")), show(final("a"))] == ["", "a\n"]


def test_a_program_sees_everything_but_audio() -> None:
    show = display_for(json=True, terminal=True)
    assert json.loads(show(final("a")))["text"] == "a"
    assert show(AudioOut("t", b"x")) == ""


@given(st.text(max_size=30), st.integers(2, 20))
def test_a_terminal_is_never_wrapped_or_commanded(text: str, columns: int) -> None:
    """A line that wraps could not be written again."""
    shown = live_line(columns)(partial(text)).removeprefix("\r\x1b[K")
    assert len(shown) < columns
    assert printable(shown) == shown


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (m.Notice("c", "too loud", remedy="speak softly"), "warning: too loud; speak softly"),
        (m.Draining(2500), "warning: the node stops in 2.5 s"),
        (m.Ended("s", "draining", 0, 0), "warning: the node ended the session: draining"),
        (m.Ended("s", "finish", 0, 0), None),
        (Reconnecting(2, "no sign\x1b of life"), "reconnecting (2): no sign  of life"),
        (Resumed("n-2", "eu-west", 1234), "resumed on n-2 (eu-west) after 1.2 s"),
        (Resumed("n-2", None, 40), "resumed on n-2 after 0.0 s"),
        (Gap(5, 9), "gap: the words of samples 5 to 9 are lost"),
        (final("a"), None),
    ],
)
def test_what_is_said_beside_the_words(event: Event, said: str | None) -> None:
    assert aside(event) == said
