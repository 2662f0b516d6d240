from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge_node.stt.speech import (
    WINDOW_SAMPLES,
    SpeechBegan,
    SpeechEnded,
    SpeechFinder,
    SpeechRules,
)

RULES = SpeechRules(begin_windows=2, end_windows=3, margin_samples=512)
LEVELS = st.sampled_from([0.0, 0.34, 0.4, 0.5, 1.0])


def changes(probabilities: list[float], cuts: list[int] | None = None) -> list[object]:
    finder, bounds = SpeechFinder(RULES), [0, *sorted(cuts or []), len(probabilities)]
    found = [c for a, b in pairwise(bounds) for c in finder.push(probabilities[a:b])]
    return [*found, *finder.finish()]


def test_speech_is_found_with_its_margins_on_the_grid() -> None:
    found = changes([0.0] * 5 + [0.9] * 4 + [0.0] * 10)
    assert found == [SpeechBegan(4 * 512 // 160 * 160), SpeechEnded(10 * 512 // 160 * 160)]


def test_one_loud_window_is_no_speech() -> None:
    assert changes([0.0, 1.0, 0.0, 1.0, 0.0]) == []


def test_a_wavering_voice_is_one_speech() -> None:
    assert len(changes([0.9, 0.9, 0.4, 0.4, 0.4, 0.4, 0.9])) == 2


def test_a_short_pause_does_not_end_it() -> None:
    assert len(changes([0.9] * 3 + [0.0] * 2 + [0.9] * 3)) == 2
    assert len(changes([0.9] * 3 + [0.0] * 3 + [0.9] * 3)) == 4


def test_it_is_known_as_soon_as_the_windows_are_out() -> None:
    finder = SpeechFinder(RULES)
    assert finder.push([0.9]) == []
    assert finder.push([0.9]) == [SpeechBegan(0)]
    assert finder.speaking


def test_the_audios_end_ends_speech() -> None:
    assert changes([0.9] * 4) == [SpeechBegan(0), SpeechEnded(4 * WINDOW_SAMPLES)]


@given(probabilities=st.lists(LEVELS, max_size=40), cuts=st.lists(st.integers(0, 40)))
def test_windows_may_come_in_any_portions(probabilities: list[float], cuts: list[int]) -> None:
    within = [min(cut, len(probabilities)) for cut in cuts]
    assert changes(probabilities, within) == changes(probabilities)


@given(probabilities=st.lists(LEVELS, max_size=60))
def test_changes_alternate_and_go_forward(probabilities: list[float]) -> None:
    found = changes(probabilities)
    assert [type(c) for c in found] == [SpeechBegan, SpeechEnded] * (len(found) // 2)
    samples = [c.sample for c in found if isinstance(c, SpeechBegan | SpeechEnded)]
    assert samples == sorted(samples)
    assert all(0 <= s <= len(probabilities) * WINDOW_SAMPLES for s in samples)
