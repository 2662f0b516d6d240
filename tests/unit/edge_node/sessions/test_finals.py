import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.sessions.finals import Finals
from edge_node.sessions.heard import WordsForGood


def heard(through: int) -> WordsForGood:
    return WordsForGood(max(0, through - 100), through, (), "endpoint")


@given(steps=st.lists(st.sampled_from(["final", "silence", "ack"]), max_size=40), data=st.data())
def test_audio_is_released_only_behind_acknowledged_finals(
    steps: list[str], data: st.DataObject
) -> None:
    finals, through, at = Finals(kept_limit=1000), {}, 0
    for step in steps:
        if step == "ack":
            finals.acknowledge(data.draw(st.integers(0, finals.seq)))
        else:
            at += 100
            if step == "final":
                through[finals.add(heard(at), "").seq] = at
            else:
                finals.wordless(at)
        open_finals = [seq for seq in through if seq > finals.acknowledged]
        assert [final.seq for final in finals.kept] == open_finals
        if open_finals:
            assert finals.released_sample < through[open_finals[0]]
    assert list(through) == list(range(1, finals.seq + 1))


def test_an_acknowledgement_of_nothing_sent_is_refused() -> None:
    finals = Finals()
    finals.add(heard(100), "")
    with pytest.raises(ValueError, match="seq 2"):
        finals.acknowledge(2)
    assert finals.acknowledged == 0


def test_acknowledging_all_releases_the_silence_behind_it_too() -> None:
    finals = Finals()
    finals.add(heard(100), "")
    assert not finals.wordless(300)
    assert finals.acknowledge(1)
    assert finals.released_sample == 300


def test_what_is_never_acknowledged_is_bounded_and_counted() -> None:
    finals = Finals(kept_limit=3)
    for number in range(1, 6):
        finals.add(heard(number * 100), "")
    assert [final.seq for final in finals.kept] == [3, 4, 5]
    assert finals.forgotten == 2
    assert finals.released_sample == 0
