"""Who spoke, as a function of samples and claims alone; the model is asked no more than needed."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.stt.engine import Samples
from edge_node.stt.gate import Gate, GateRules
from edge_node.stt.speech import STEP_SAMPLES, WINDOW_SAMPLES, WINDOWS_PER_STEP

RULES = GateRules(look_back_steps=2, linger_steps=2, trust_steps=3)
VOICE, NOISE = 0.25, 0.01


def step(level: float) -> Samples:
    return np.full(STEP_SAMPLES, level, np.float32)


def loud(samples: Samples, level: float = 0.1) -> Samples:
    """What a model says that takes loudness for speech."""
    windows = samples.reshape(WINDOWS_PER_STEP, WINDOW_SAMPLES)
    return np.asarray(np.abs(windows).max(1) > level, np.float32)


def follow(gate: Gate, levels: list[float], claims: set[int]) -> list[int]:
    """Steps of audio, with words claimed in some; how many the model had to hear at each."""
    asked = []
    for number, level in enumerate(levels):
        gate.hear(step(level), claimed=number in claims)
        due = gate.take_due()
        asked.append(len(due))
        for samples in due:
            gate.saw(loud(samples))
    return asked


def spoken(gate: Gate, number: int) -> bool:
    middle = number * STEP_SAMPLES + STEP_SAMPLES // 2
    return gate.spoken(middle, middle + 640)


def quiet_gate(rules: GateRules = RULES) -> Gate:
    return Gate(replace(rules, peak=0.0), 16000)


def test_nobody_listens_where_no_words_are_claimed() -> None:
    assert follow(quiet_gate(), [VOICE] * 8, set()) == [0] * 8


def test_a_claim_is_looked_at_with_what_was_before_it_and_for_a_while_behind_it() -> None:
    assert follow(quiet_gate(), [NOISE] * 9, {3}) == [0, 0, 0, 3, 1, 1, 0, 0, 0]


def test_speech_that_was_found_is_believed_for_a_while_unheard() -> None:
    assert follow(quiet_gate(), [VOICE] * 8, set(range(8))) == [1, 0, 0, 0, 3, 0, 0, 0]


def test_words_in_speech_count_and_words_in_noise_do_not() -> None:
    gate = quiet_gate()
    follow(gate, [NOISE, NOISE, NOISE, VOICE, VOICE], {1, 4})
    assert not spoken(gate, 1)
    assert spoken(gate, 4)


def test_a_window_or_less_of_speech_is_a_click() -> None:
    gate = quiet_gate()
    sound = step(NOISE)
    sound[:WINDOW_SAMPLES] = VOICE
    gate.hear(sound, claimed=True)
    gate.saw(loud(gate.take_due()[0]))
    assert not gate.spoken(0, 640)


def test_where_the_model_has_not_listened_the_recogniser_is_believed() -> None:
    gate = quiet_gate()
    follow(gate, [NOISE] * 8, {7})
    assert spoken(gate, 2)
    assert not spoken(gate, 6)
    assert gate.spoken(8 * STEP_SAMPLES, 8 * STEP_SAMPLES + 640)


@pytest.mark.parametrize("soft", [0.5, 0.05])
def test_soft_voices_are_raised_to_the_same_level(soft: float) -> None:
    gate = Gate(RULES, 16000)
    gate.hear(step(soft * RULES.peak), claimed=True)
    assert gate.take_due()[0].max() == pytest.approx(RULES.peak)


def test_near_silence_is_not_raised_to_a_roar_and_loud_voices_not_at_all() -> None:
    for level, wanted in ((1e-5, 1e-5 * RULES.most_gain), (0.9, 0.9)):
        gate = Gate(RULES, 16000)
        gate.hear(step(level), claimed=True)
        assert gate.take_due()[0].max() == pytest.approx(wanted)


def test_what_is_no_number_does_not_stay_in_the_level() -> None:
    gate = Gate(RULES, 16000)
    gate.hear(np.full(STEP_SAMPLES, np.nan, np.float32), claimed=True)
    gate.hear(step(0.15), claimed=False)
    assert gate.take_due()[1].max() == pytest.approx(RULES.peak)


def test_a_new_utterance_knows_nothing_of_the_last() -> None:
    used, fresh = quiet_gate(), quiet_gate()
    follow(used, [VOICE] * 3, {1})
    used.restart()
    story = [NOISE, VOICE, NOISE, NOISE, VOICE, NOISE]
    assert follow(used, story, {2, 4}) == follow(fresh, story, {2, 4})
    assert [spoken(used, i) for i in range(6)] == [spoken(fresh, i) for i in range(6)]


@given(
    levels=st.lists(st.sampled_from([NOISE, VOICE]), min_size=1, max_size=20),
    claims=st.sets(st.integers(0, 19)),
    sizes=st.lists(st.integers(1, 3 * STEP_SAMPLES), max_size=6),
)
def test_audio_counts_from_the_utterances_start_however_long_the_steps(
    levels: list[float], claims: set[int], sizes: list[int]
) -> None:
    """A recogniser of another step asks about the same windows; none is heard twice in a run."""
    audio = np.concatenate([step(level) for level in levels])
    gate, heard = quiet_gate(), 0
    edges = [0, *np.cumsum(sizes).tolist(), len(audio)]
    for number, (start, end) in enumerate(pairwise(edges)):
        gate.hear(audio[start:end], claimed=number in claims)
        for samples in gate.take_due():
            gate.saw(loud(samples))
            heard += 1
    listened = [window for window in range(len(levels) * 10) if window in gate._holds_speech]
    assert all(
        gate._holds_speech[window] == (levels[window // 10] == VOICE)
        for window in listened
        if not trusted(gate, window, levels)
    )
    assert heard <= len(levels) + RULES.look_back_steps * (len(sizes) + 1)


def trusted(gate: Gate, window: int, levels: list[float]) -> bool:
    """Whether the window was believed, not heard: speech was found in the steps before it."""
    before = levels[max(0, window // 10 - 8) : window // 10]
    return gate._holds_speech[window] and VOICE in before
