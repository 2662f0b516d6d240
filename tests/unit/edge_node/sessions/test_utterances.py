from hypothesis import given
from hypothesis import strategies as st

from edge_node.sessions.transcript import SpokenWord
from edge_node.sessions.utterances import Cut, Rules, cut

RULES = Rules(
    endpoint_frames=10, longest_frames=100, keep_frames=5, restart_frames=50, settle_frames=2
)


def words(*frames: tuple[int, int]) -> list[SpokenWord]:
    return [SpokenWord(f"w{i}", a, b, 1.0, 1) for i, (a, b) in enumerate(frames)]


def flat(first: int, last: int) -> list[float]:
    return [1.0] * (last - first)


def test_silence_after_words_ends_the_utterance_in_the_middle_of_that_silence() -> None:
    spoken = words((3, 5), (8, 12))
    assert cut(spoken, 22, RULES, flat) is None
    assert cut(spoken, 23, RULES, flat) == Cut(18, 2, "endpoint")


def test_a_pause_before_the_first_word_ends_nothing() -> None:
    assert cut([], 49, RULES, flat) is None


def test_a_wordless_stretch_starts_afresh_and_keeps_its_end() -> None:
    assert cut([], 50, RULES, flat) == Cut(45, 0, "silence")


def test_speech_without_a_pause_is_cut_at_the_quietest_place_between_words() -> None:
    spoken = words(*[(i * 10, i * 10 + 5) for i in range(10)], (98, 99))

    def loudness(first: int, last: int) -> list[float]:
        return [0.01 if frame == 78 else 1.0 for frame in range(first, last)]

    assert cut(spoken, 99, RULES, loudness) is None
    assert cut(spoken, 100, RULES, loudness) == Cut(78, 8, "forced")


def test_a_quiet_place_long_ago_does_not_count() -> None:
    """What is behind the end is heard again: at most half of the longest utterance."""
    spoken = words(*[(i * 10, i * 10 + 5) for i in range(10)])

    def loudness(first: int, last: int) -> list[float]:
        return [{28: 0.0, 68: 0.5}.get(frame, 1.0) for frame in range(first, last)]

    assert cut(spoken, 100, RULES, loudness) == Cut(68, 7, "forced")


@given(
    lengths=st.lists(st.tuples(st.integers(1, 6), st.integers(0, 8)), min_size=1, max_size=40),
    levels=st.lists(st.floats(0, 1), min_size=120, max_size=120),
)
def test_a_forced_end_never_divides_a_word(
    lengths: list[tuple[int, int]], levels: list[float]
) -> None:
    spans, frame = [], 0
    for length, pause in lengths:
        if frame + length > 100:
            break
        spans.append((frame, frame + length - 1))
        frame += length + pause
    spoken = words(*spans)
    decided = cut(spoken, 100, RULES, lambda first, last: levels[first:last])
    if decided is None or decided.reason != "forced":
        return
    before, after = spoken[: decided.words], spoken[decided.words :]
    assert all(word.last_frame < decided.frame for word in before)
    assert all(word.first_frame >= decided.frame for word in after)
    assert 0 < decided.frame <= 100
    assert before


def test_a_step_that_passes_the_longest_time_does_not_make_an_utterance_longer() -> None:
    to_the_end = words(*[(i * 2, i * 2 + 1) for i in range(52)])
    decided = cut(to_the_end, 104, RULES, flat)
    assert decided is not None
    assert decided.frame <= 100
    assert to_the_end[decided.words - 1].last_frame < decided.frame


def test_a_word_without_an_end_is_cut_behind_all_that_was_heard_of_it() -> None:
    assert cut(words((0, 103)), 104, RULES, flat) == Cut(104, 1, "forced")


def test_rules_are_counted_in_frames() -> None:
    rules = Rules.of(frame_ms=40, endpoint_silence_ms=700)
    assert (rules.endpoint_frames, rules.longest_frames) == (18, 500)


def test_no_level_is_asked_of_audio_that_was_not_heard() -> None:
    """At a flush tokens may come out in the silence behind the audio."""

    def loudness(first: int, last: int) -> list[float]:
        assert first < last <= 100
        return [1.0] * (last - first)

    spoken = words((50, 60), (61, 99), (100, 103))
    assert cut(spoken, 100, RULES, loudness) == Cut(61, 1, "forced")
