"""A seat behind a gate: still a function of the samples; words that nobody said are left out."""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_node.sessions.heard import Heard, Wordless, WordsForGood, WordsSoFar
from edge_node.sessions.utterances import Rules
from edge_node.stt.engine import Profile, Samples
from edge_node.stt.gate import GateRules
from edge_node.stt.gatekeeper import Gatekeeper
from edge_node.stt.scripted import DEFAULT_PROFILE, ScriptedEngine, script_audio
from edge_node.stt.seat import Asked, EndAsked, Seat
from edge_node.stt.speech import STEP_SAMPLES, WINDOW_SAMPLES, WINDOWS_PER_STEP
from heliovox.protocol.audio import AudioFormat
from shared.audio import encode

PCM = AudioFormat()
RULES = Rules(
    endpoint_frames=12, longest_frames=80, keep_frames=12, restart_frames=40, settle_frames=1
)
GATE = GateRules(look_back_steps=2, linger_steps=2, trust_steps=2, peak=0.0)
SMALL = replace(DEFAULT_PROFILE, chunk_samples=1280, delay_samples=640, tail_samples=1280)
FINISH = EndAsked("", "finish")
A_VOICE = 2.5 / 32
"""Letters from c on are said by somebody, a and b by machines."""


class Listener:
    """A voice activity model that hears those letters, and counts what it had to hear."""

    def __init__(self) -> None:
        self.steps = 0

    def open(self, _caller_hz: int) -> SimpleNamespace:
        return SimpleNamespace(waiting=np.empty(0, np.float32))

    def accept(self, stream: SimpleNamespace, samples: Samples) -> None:
        stream.waiting = np.concatenate([stream.waiting, samples])

    def ready(self, stream: SimpleNamespace) -> bool:
        return len(stream.waiting) >= STEP_SAMPLES

    def step(self, streams: list[SimpleNamespace]) -> Samples:
        self.steps += len(streams)
        return np.stack([self._one(stream) for stream in streams])

    def _one(self, stream: SimpleNamespace) -> Samples:
        windows = stream.waiting[:STEP_SAMPLES].reshape(WINDOWS_PER_STEP, WINDOW_SAMPLES)
        stream.waiting = stream.waiting[STEP_SAMPLES:]
        return np.asarray(windows.max(1) > A_VOICE, np.float32)


def run(
    items: list[bytes | Asked], profile: Profile = DEFAULT_PROFILE, *, lazily: bool = False
) -> list[Heard]:
    engine, keeper = ScriptedEngine(profile), Gatekeeper(Listener(), GATE)  # type: ignore[arg-type]
    seat, stream, heard = Seat(PCM, profile, RULES), engine.open(), list[Heard]()
    seat.watch(keeper.rules)
    for item in items:
        if seat.push(item) and not lazily:
            heard += work_off(seat, engine, stream, keeper)
    return heard + work_off(seat, engine, stream, keeper)


def work_off(seat: Seat, engine: ScriptedEngine, stream: object, keeper: Gatekeeper) -> list[Heard]:
    heard: list[Heard] = []
    while True:
        told, ended, samples = seat.turn()
        heard += told
        if ended:
            engine.reset(stream)
        if samples is None:
            if seat.waits:
                return heard
            continue
        engine.accept(stream, samples)
        tokens = engine.step([stream])[0]
        assert seat.gate is not None
        seat.gate.hear(samples, claimed=bool(tokens))
        keeper.settle([seat.gate])
        told, ended = seat.stepped(tokens)
        heard += told
        if ended:
            engine.reset(stream)


def said(heard: list[Heard]) -> str:
    finals = [one for one in heard if isinstance(one, WordsForGood)]
    return " ".join(word.text for final in finals for word in final.words)


def speech(text: str) -> bytes:
    return encode(PCM, script_audio(text))


def cut_up(data: bytes, cuts: list[int]) -> list[bytes | Asked]:
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    return [data[first:last] for first, last in pairwise(edges)]


texts = st.lists(
    st.tuples(st.text("abcd", min_size=1, max_size=5), st.integers(1, 40)), max_size=6
).map(lambda pairs: "".join(word + " " * pause for word, pause in pairs))
profiles = st.sampled_from([DEFAULT_PROFILE, SMALL])


def test_words_of_a_voice_are_heard_and_words_of_machines_are_not() -> None:
    heard = run([speech("ccd" + " " * 60 + "aba" + " " * 60 + "dd"), FINISH])
    assert said(heard) == "ccd dd"


def test_an_utterance_of_invented_words_alone_ends_without_a_final_and_shows_no_partial() -> None:
    heard = run([speech("aba b" + " " * 60), FINISH])
    assert not [one for one in heard if isinstance(one, WordsForGood | WordsSoFar)]
    assert [type(one) for one in heard[:1]] == [Wordless]


@given(
    text=texts,
    cuts=st.lists(st.integers(0, 200_000), max_size=8),
    lazily=st.booleans(),
    profile=profiles,
)
def test_the_network_may_cut_audio_anywhere(
    text: str, cuts: list[int], lazily: bool, profile: Profile
) -> None:
    data = speech(text)
    whole = run([data, FINISH], profile)
    assert run([*cut_up(data, cuts), FINISH], profile, lazily=lazily) == whole


@given(text=texts, data=st.data(), profile=profiles)
def test_every_boundary_is_a_place_to_resume_from(
    text: str, data: st.DataObject, profile: Profile
) -> None:
    """The gate remembers nothing across it: the words from there on are the same."""
    audio = speech(text)
    heard = [one for one in run([audio, FINISH], profile) if not isinstance(one, WordsSoFar)]
    ends = [i for i, one in enumerate(heard) if isinstance(one, WordsForGood | Wordless)]
    if not ends:
        return
    index = data.draw(st.sampled_from(ends))
    sample = getattr(heard[index], "through_sample", 0)
    again = run([audio[2 * sample :], FINISH], profile)
    assert said(again) == said(heard[index + 1 :])


@given(text=texts, profile=profiles)
def test_the_gate_moves_no_boundary_and_adds_no_word(text: str, profile: Profile) -> None:
    """What it leaves out is all it does: utterances end where they would without it."""
    data = speech(text)
    gated = run([data, FINISH], profile)
    engine, seat = ScriptedEngine(profile), Seat(PCM, profile, RULES)
    seat.push(data)
    seat.push(FINISH)
    free = work_off_free(seat, engine)
    assert boundaries(gated) == boundaries(free)
    left = said(free).split()
    for word in said(gated).split():
        left = left[left.index(word) + 1 :]


def work_off_free(seat: Seat, engine: ScriptedEngine) -> list[Heard]:
    stream, heard = engine.open(), list[Heard]()
    while True:
        told, ended, samples = seat.turn()
        heard += told
        if ended:
            engine.reset(stream)
        if samples is None:
            if seat.waits:
                return heard
            continue
        engine.accept(stream, samples)
        told, ended = seat.stepped(engine.step([stream])[0])
        heard += told
        if ended:
            engine.reset(stream)


def boundaries(heard: list[Heard]) -> list[int]:
    return [one.through_sample for one in heard if isinstance(one, WordsForGood | Wordless)]
