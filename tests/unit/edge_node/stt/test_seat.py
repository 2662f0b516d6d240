"""A seat over the scripted recogniser: what is heard is a function of the samples alone."""

from dataclasses import replace
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.sessions.heard import (
    AllHeard,
    FlushDone,
    Heard,
    MarkerPassed,
    Wordless,
    WordsForGood,
    WordsSoFar,
)
from edge_node.sessions.utterances import Rules
from edge_node.stt.engine import Engine, Token
from edge_node.stt.scripted import DEFAULT_PROFILE, ScriptedEngine, script_audio
from edge_node.stt.seat import Asked, EndAsked, MarkerAsked, Seat
from heliovox.protocol.audio import AudioFormat
from shared.audio import Resampler, encode

PROFILE = replace(DEFAULT_PROFILE, chunk_samples=1280, delay_samples=640, tail_samples=1280)
"""Chunks of two frames, so that short texts cross many of them."""
RULES = Rules(
    endpoint_frames=6, longest_frames=60, keep_frames=3, restart_frames=30, settle_frames=1
)
PCM = AudioFormat()

Item = bytes | Asked


def run(items: list[Item], audio: AudioFormat = PCM, *, lazily: bool = False) -> list[Heard]:
    """What a seat says of these items, worked off after each of them, or only at the end."""
    engine: Engine = ScriptedEngine(PROFILE)
    seat, stream, heard = Seat(audio, PROFILE, RULES), engine.open(), []
    for item in items:
        might_step = seat.push(item)
        if might_step and not lazily:
            heard += work_off(seat, engine, stream)
    return heard + work_off(seat, engine, stream)


def work_off(seat: Seat, engine: Engine, stream: object) -> list[Heard]:
    heard: list[Heard] = []
    for _ in range(10_000):
        told, ended, samples = seat.turn()
        heard += told
        if ended:
            engine.reset(stream)
        if samples is None:
            if seat.waits:
                return heard
            continue
        engine.accept(stream, samples)
        assert engine.ready(stream), "the seat promised a whole chunk"
        told, ended = seat.stepped(engine.step([stream])[0])
        heard += told
        if ended:
            engine.reset(stream)
    raise AssertionError("the seat never comes to rest")


def speech(text: str, audio: AudioFormat = PCM) -> bytes:
    samples = script_audio(text)
    if audio.sample_rate != 16000:
        resampler = Resampler(16000, audio.sample_rate)
        samples = np.concatenate([resampler.push(samples), resampler.finish()])
    return encode(audio, samples)


def said(heard: list[Heard]) -> str:
    finals = [one for one in heard if isinstance(one, WordsForGood)]
    return " ".join(word.text for final in finals for word in final.words)


def cut_up(data: bytes, cuts: list[int]) -> list[Item]:
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    return [data[first:last] for first, last in pairwise(edges)]


def lasting(heard: list[Heard]) -> list[Heard]:
    return [one for one in heard if not isinstance(one, WordsSoFar)]


FINISH = EndAsked("", "finish")
texts = st.lists(
    st.tuples(st.text("abc", min_size=1, max_size=5), st.integers(1, 40)), max_size=6
).map(lambda pairs: "".join(word + " " * pause for word, pause in pairs))


@given(text=texts, cuts=st.lists(st.integers(0, 60_000), max_size=8), lazily=st.booleans())
def test_the_network_may_cut_audio_anywhere(text: str, cuts: list[int], lazily: bool) -> None:
    """However packets fall, and whenever the device comes to them, the same is heard."""
    data = speech(text)
    whole = run([data, FINISH])
    pieces = run([*cut_up(data, cuts), FINISH], lazily=lazily)
    assert pieces == whole
    assert said(whole) == " ".join(text.split())


@given(
    text=texts,
    wishes=st.lists(st.tuples(st.integers(0, 60_000), st.booleans()), max_size=3),
    rate=st.sampled_from([16000, 44100]),
)
def test_it_does_not_matter_what_came_behind_an_end_before_the_end_was_heard(
    text: str, wishes: list[tuple[int, bool]], rate: int
) -> None:
    """A device that lags has the audio behind a flush already; one that keeps up has not."""
    audio = AudioFormat("pcm_s16le", rate)
    data = speech(text, audio)
    items: list[Item] = []
    for piece, (_, flush) in zip(
        cut_up(data, [at for at, _ in wishes]), [*sorted(wishes), (0, False)], strict=False
    ):
        items += [piece, EndAsked("f", "flush") if flush else MarkerAsked("m")]
    items += [speech("abc" + " " * 20 + "b", audio), FINISH]
    assert run(items, audio, lazily=True) == run(items, audio)


@pytest.mark.parametrize("rate", [16000, 24000, 44100, 48000])
def test_a_long_utterance_may_be_flushed_at_any_sample(rate: int) -> None:
    """Also one sample short of the frame at which it would have been ended by force."""
    audio = AudioFormat("pcm_s16le", rate)
    data, frame_bytes = speech("abc " * 20, audio), 2 * rate * 40 // 1000
    for frame in range(RULES.longest_frames - 3, RULES.longest_frames + 4):
        short = data[: frame * frame_bytes - 2]
        heard = run([short, EndAsked("f", "flush")], audio)
        assert heard[-1] == FlushDone("f", len(short) // 2)


@given(text=texts, cuts=st.lists(st.integers(0, 60_000), max_size=4), data=st.data())
def test_every_boundary_is_a_place_to_resume_from(
    text: str, cuts: list[int], data: st.DataObject
) -> None:
    """From any boundary on, a fresh seat hears what the first one went on to hear."""
    audio = speech(text)
    heard = lasting(run([audio, FINISH]))
    boundaries = [
        (index, one.through_sample)
        for index, one in enumerate(heard)
        if isinstance(one, WordsForGood | Wordless)
    ]
    if not boundaries:
        return
    index, sample = data.draw(st.sampled_from(boundaries))
    again = lasting(run([*cut_up(audio[2 * sample :], cuts), FINISH]))
    assert [shifted(one, sample) for one in again] == heard[index + 1 :]


def shifted(heard: Heard, by: int) -> Heard:
    match heard:
        case WordsForGood():
            words = tuple(replace_word(word, by * 1000 // PCM.sample_rate) for word in heard.words)
            return WordsForGood(
                heard.from_sample + by, heard.through_sample + by, words, heard.reason
            )
        case Wordless(through):
            return Wordless(through + by)
        case AllHeard(at):
            return AllHeard(at + by)
    raise AssertionError(heard)


def replace_word(word: object, by_ms: int) -> object:
    return msgspec.structs.replace(word, start_ms=word.start_ms + by_ms, end_ms=word.end_ms + by_ms)


@given(text=texts, flushes=st.lists(st.integers(0, 60_000), max_size=3))
def test_finals_cover_the_audio_without_gap_or_overlap(text: str, flushes: list[int]) -> None:
    data = speech(text)
    items: list[Item] = []
    for piece in cut_up(data, [2 * (at // 2) for at in flushes]):
        items += [piece, EndAsked("f", "flush")]
    heard = run([*items, FINISH])
    at = 0
    for one in heard:
        if isinstance(one, WordsForGood):
            assert one.from_sample == at
            assert all(at * 1000 // 16000 <= word.start_ms for word in one.words)
            at = one.through_sample
        elif isinstance(one, Wordless):
            assert one.through_sample >= at
            at = one.through_sample
    assert at == len(data) // 2 or not data
    assert sum(isinstance(one, FlushDone) for one in heard) == len(items) // 2
    assert isinstance(heard[-1], AllHeard)


@given(words=st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=6))
def test_words_on_both_sides_of_a_flush_are_heard(words: list[str]) -> None:
    items: list[Item] = []
    for word in words:
        items += [speech(f"{word} "), EndAsked(word, "flush")]
    heard = run([*items, FINISH])
    begins_ms = [40 * (index + sum(map(len, words[:index]))) for index in range(len(words))]
    known = [(word.text, word.start_ms) for word in words_of(heard)]
    assert known == list(zip(words, begins_ms, strict=True))
    assert [one.id for one in heard if isinstance(one, FlushDone)] == words


def test_an_utterance_that_is_flushed_in_its_last_moment_is_not_ended_by_force() -> None:
    heard = run([speech("a" * RULES.longest_frames), EndAsked("f", "flush")])
    assert [one.reason for one in heard if isinstance(one, WordsForGood)] == ["flush"]


@given(text=texts, cut=st.integers(0, 60_000), finish=st.booleans())
def test_a_marker_comes_back_behind_every_word_before_it(text: str, cut: int, finish: bool) -> None:
    data = speech(text)
    first, *rest = cut_up(data, [cut])
    heard = run([first, MarkerAsked("m"), *rest, *([FINISH] if finish else [])])
    places = [index for index, one in enumerate(heard) if isinstance(one, MarkerPassed)]
    assert len(places) <= 1
    if finish:
        assert places
    for index in places:
        at_ms = heard[index].at_sample // 16
        complete = [w for w in words_of(run([data, FINISH])) if w.end_ms <= at_ms - 80]
        known = {(w.text, w.start_ms) for one in heard[:index] for w in getattr(one, "words", ())}
        assert {(w.text, w.start_ms) for w in complete} <= known


def words_of(heard: list[Heard]) -> list:
    return [word for one in heard if isinstance(one, WordsForGood) for word in one.words]


@pytest.mark.parametrize(
    "audio",
    [AudioFormat("pcm_s16le", rate) for rate in (8000, 24000, 44100, 48000)]
    + [AudioFormat("mulaw", 8000), AudioFormat("alaw", 8000)],
    ids=lambda audio: f"{audio.encoding}-{audio.sample_rate}",
)
def test_every_format_is_heard_alike(audio: AudioFormat) -> None:
    text = "abc  ba" + " " * 20 + "cab" + " " * 50 + "bb"
    data = speech(text, audio)
    heard = run([*cut_up(data, [1, 333, 5000, 20_001]), FINISH], audio)
    assert heard == run([data, FINISH], audio)
    assert said(heard) == "abc ba cab bb"
    reference = words_of(run([speech(text), FINISH]))
    assert [(w.text, w.start_ms, w.end_ms) for w in words_of(heard)] == [
        (w.text, w.start_ms, w.end_ms) for w in reference
    ]


def test_speech_without_a_pause_is_ended_between_words_and_loses_none() -> None:
    text = " ".join(["abc"] * 60)
    heard = run([speech(text), FINISH])
    finals = [one for one in heard if isinstance(one, WordsForGood)]
    assert said(heard) == text
    assert [final.reason for final in finals[:-1]] == ["forced"] * (len(finals) - 1)
    assert len(finals) > 3


def test_a_flush_without_audio_is_answered_at_once() -> None:
    assert run([EndAsked("x", "flush")]) == [FlushDone("x", 0)]


def test_silence_is_released_without_a_final() -> None:
    heard = run([bytes(2 * 640 * 200)])
    assert heard
    assert all(isinstance(one, Wordless) for one in heard)


def test_a_word_that_only_began_makes_no_final() -> None:
    seat, heard = Seat(PCM, PROFILE, RULES), []
    seat.push(bytes(2 * 640 * 40))
    tokens = [Token("▁", 1, 0.9)]
    for _ in range(10):
        told, _, samples = seat.turn()
        heard += told
        if samples is not None:
            heard += seat.stepped(tokens if not heard else [])[0]
    assert any(isinstance(one, Wordless) for one in heard)
    assert not any(isinstance(one, WordsForGood) for one in heard)


def told_by(seat: Seat, tokens: list[Token]) -> list[Heard]:
    """What the seat says after a step that gave these tokens."""
    seat.push(bytes(2 * PROFILE.chunk_samples))
    seat.turn()
    return seat.stepped(tokens)[0]


def test_a_recogniser_may_change_its_mind_until_words_are_final() -> None:
    seat = Seat(PCM, PROFILE, RULES)
    [first] = told_by(seat, [Token("▁call", 0, 0.9), Token("ome", 1, 0.5)])
    [second] = told_by(seat, [Token("▁home", 1, 0.7, replaces=1)])
    assert isinstance(first, WordsSoFar)
    assert isinstance(second, WordsSoFar)
    assert [word.text for word in first.words] == ["callome"]
    assert [word.text for word in second.words] == ["call", "home"]
    [final] = [one for _ in range(4) for one in told_by(seat, [])]
    assert isinstance(final, WordsForGood)
    assert final.words == second.words


def test_words_that_were_none_are_taken_back_and_make_no_final() -> None:
    seat = Seat(PCM, PROFILE, RULES)
    told_by(seat, [Token("▁call", 0, 0.6)])
    [emptied] = told_by(seat, [Token("", 0, 0.0, replaces=1)])
    assert isinstance(emptied, WordsSoFar)
    assert emptied.words == ()
    rest = [one for _ in range(14) for one in told_by(seat, [])]
    assert [type(one) for one in rest] == [Wordless]


minds = st.lists(
    st.lists(st.tuples(st.sampled_from(["▁a", "b", ""]), st.integers(0, 5)), max_size=3),
    max_size=40,
)


@given(steps=minds)
def test_however_often_a_recogniser_changes_its_mind_its_last_word_counts(
    steps: list[list[tuple[str, int]]],
) -> None:
    """Every step says a few things about its own two frames and takes some earlier ones back."""
    seat, believed, finals = Seat(PCM, PROFILE, RULES), list[Token](), list[WordsForGood]()
    begin = 0
    for at, said_now in enumerate(steps):
        tokens = []
        for text, replaces in said_now:
            back = min(replaces, len(believed))
            token = Token(text, max(0, 2 * (at - begin) - 1), 0.5, back)
            believed = [*believed[: len(believed) - back], *([token] if text else [])]
            tokens.append(token)
        for one in told_by(seat, tokens):
            if isinstance(one, WordsSoFar):
                assert "".join(word.text for word in one.words) == spelled(believed)
            elif isinstance(one, WordsForGood | Wordless):
                begin, believed = at + 1, []
                finals += [one] if isinstance(one, WordsForGood) else []
    assert all(final.words for final in finals)


def spelled(tokens: list[Token]) -> str:
    return "".join(token.text.removeprefix("▁") for token in tokens)
