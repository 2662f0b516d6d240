"""A short life of the long session, so that the long one is worth its time."""

import pytest

from tests.soak import days
from tests.soak.script import CHUNK_MS, DAY_MS, EVERY_CHUNKS, chunks, word_of
from tests.support.virtual_time import run_virtually


def quiet(_: str) -> None: ...


def test_a_session_of_half_a_day_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(days, "DROP_EVERY_CHUNKS", 700)
    found = run_virtually(days.live(0.4, 3, quiet))
    assert found["not_as_it_should_be"] == []
    assert found["words"] == 58
    assert found["resumed"] == 12
    assert 0 < found["on_the_other_node"] < 12


def test_a_node_that_forgets_where_it_is_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(days, "DROP_EVERY_CHUNKS", 700)
    monkeypatch.setattr(days.SessionMachine, "unsaid", lambda *_: [])  # nothing is sent again
    found = run_virtually(days.live(0.2, 3, quiet))
    assert "every sample" in found["not_as_it_should_be"]


def test_words_are_told_apart_and_stand_where_they_are_said() -> None:
    some = [word_of(number) for number in range(2000)]
    assert len({word.text for word in some}) == 2000
    first = [word for _, word in chunks(EVERY_CHUNKS * 3 * CHUNK_MS / DAY_MS) if word is not None]
    assert first == some[:3]
