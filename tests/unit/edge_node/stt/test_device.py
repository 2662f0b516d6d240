"""The device's thread over the scripted recogniser: order, failure, leaving, stopping."""

import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from edge_node.sessions.heard import AllHeard, Consumed, Heard, SeatFailed, WordsForGood, WordsSoFar
from edge_node.sessions.utterances import Rules
from edge_node.stt.batcher import BatchRules
from edge_node.stt.device import Device, Occupant
from edge_node.stt.engine import Samples, Stream, Token
from edge_node.stt.gatekeeper import Gatekeeper
from edge_node.stt.scripted import DEFAULT_PROFILE, ScriptedEngine, ScriptedStream, script_audio
from edge_node.stt.seat import EndAsked, Seat
from edge_node.stt.speech import WINDOWS_PER_STEP
from heliovox.protocol.audio import AudioFormat
from shared.audio import encode
from shared.clock import SystemClock
from shared.errors import EngineFailed, Unsupported

PCM = AudioFormat()
RULES = Rules.of(40)
WAIT_S = 10.0


class WatchedEngine(ScriptedEngine):
    """Notes which thread it runs on, what was closed and in which batches it stepped."""

    def __init__(self) -> None:
        super().__init__(replace(DEFAULT_PROFILE, graphs=("digits",)))
        self.graphs: list[str] = []
        self.threads: set[str] = set()
        self.closed = 0
        self.batches: list[int] = []
        self.fail_at_step: int | None = None

    def open(self, graph: str = "") -> ScriptedStream:
        self.graphs.append(graph)
        return super().open(graph)

    def step(self, streams: Sequence[Stream]) -> list[list[Token]]:
        self.threads.add(threading.current_thread().name)
        self.batches.append(len(streams))
        if self.fail_at_step is not None and len(self.batches) >= self.fail_at_step:
            raise RuntimeError("the device is lost")
        return super().step(streams)

    def close(self, stream: Stream) -> None:
        self.closed += 1
        super().close(stream)


class Ear:
    """Collects what one occupant hears."""

    def __init__(self) -> None:
        self.heard: queue.Queue[Heard] = queue.Queue()

    def listen(self, heard: Sequence[Heard]) -> None:
        for one in heard:
            self.heard.put(one)

    def until(self, kind: type) -> list[Heard]:
        found: list[Heard] = []
        while not (found and isinstance(found[-1], kind)):
            found.append(self.heard.get(timeout=WAIT_S))
        return found


def deliver(report: list[tuple[Occupant, list[Heard]]]) -> None:
    for occupant, heard in report:
        occupant.listen(heard)


@contextmanager
def running(engine: WatchedEngine, rules: BatchRules | None = None) -> Iterator[Device]:
    device = Device(lambda: engine, rules or BatchRules(max_wait_s=0.0), SystemClock(), deliver)
    device.start(WAIT_S)
    try:
        yield device
    finally:
        device.stop()


def enter(device: Device) -> tuple[Occupant, Ear]:
    ear = Ear()
    return device.enter(Seat(PCM, device.profile, RULES), ear.listen), ear


def said(heard: list[Heard]) -> str:
    finals = [one for one in heard if isinstance(one, WordsForGood)]
    return " ".join(word.text for final in finals for word in final.words)


def test_many_speak_at_once_and_each_hears_his_own_words_in_order() -> None:
    engine = WatchedEngine()
    texts = [" ".join([*["abc", "cab", "bca"][i % 3 :], "x" * (i + 1)]) for i in range(6)]
    with running(engine, BatchRules(max_streams=4, max_wait_s=0.001)) as device:
        callers = [enter(device) for _ in texts]
        audio = [encode(PCM, script_audio(text)) for text in texts]
        for begin in range(0, max(map(len, audio)), 3001):
            for (occupant, _), data in zip(callers, audio, strict=True):
                device.push(occupant, data[begin : begin + 3001])
        for occupant, _ in callers:
            device.push(occupant, EndAsked("", "finish"))
        heard = [said(ear.until(AllHeard)) for _, ear in callers]
    assert heard == texts
    assert engine.threads == {"device"}
    assert max(engine.batches) <= 4


def test_when_the_engine_breaks_everybody_hears_of_it_and_nobody_may_enter() -> None:
    engine = WatchedEngine()
    engine.fail_at_step = 2
    with running(engine) as device:
        first, first_ear = enter(device)
        _, second_ear = enter(device)
        device.push(first, bytes(2 * 16000))
        for ear in (first_ear, second_ear):
            failed = ear.until(SeatFailed)[-1]
            assert isinstance(failed, SeatFailed)
            assert failed.error.code == "engine_failed"
        with pytest.raises(EngineFailed, match="device is lost"):
            enter(device)


def test_each_is_heard_with_his_own_graph() -> None:
    engine = WatchedEngine()
    with running(engine) as device:
        for graph in ("digits", ""):
            ear = Ear()
            occupant = device.enter(Seat(PCM, device.profile, RULES), ear.listen, graph)
            device.push(occupant, EndAsked("", "finish"))
            ear.until(AllHeard)
    assert engine.graphs == ["digits", ""]


def test_an_unknown_graph_is_refused_at_the_door() -> None:
    """On its thread the device would fail over it, and everybody with it."""
    with (
        running(WatchedEngine()) as device,
        pytest.raises(Unsupported, match="no graph 'klingon'"),
    ):
        device.enter(Seat(PCM, device.profile, RULES), Ear().listen, "klingon")


def test_nobody_enters_in_the_moment_in_which_the_engine_breaks() -> None:
    """He would be among those who hear of it, or be told at the door: never neither."""
    with running(WatchedEngine()) as device:
        told: queue.Queue[object] = queue.Queue()

        def come() -> None:
            try:
                told.put(enter(device))
            except EngineFailed as refused:
                told.put(refused)

        with device._wake:
            comer = threading.Thread(target=come)
            comer.start()
            comer.join(0.1)  # he stands at the lock, or has not come yet
            device.failure = EngineFailed("broke")
        comer.join(WAIT_S)
        assert isinstance(told.get(timeout=WAIT_S), EngineFailed)


def test_an_engine_that_does_not_load_is_said_at_start() -> None:
    def broken() -> ScriptedEngine:
        raise OSError("no such file")

    device = Device(broken, BatchRules(), SystemClock(), deliver)
    with pytest.raises(EngineFailed, match="no such file"):
        device.start(WAIT_S)


def test_who_leaves_is_freed_and_hears_nothing_more() -> None:
    engine = WatchedEngine()
    with running(engine) as device:
        gone, gone_ear = enter(device)
        device.push(gone, encode(PCM, script_audio("abc")) + bytes(32_000))
        gone_ear.until(WordsSoFar)
        device.leave(gone)
        for late in (EndAsked("", "finish"), bytes(32_000)):
            device.push(gone, late)
            stays, ear = enter(device)
            device.push(stays, EndAsked("", "finish"))
            ear.until(AllHeard)
            assert engine.closed == 1
            assert gone.stream is None
    assert not any(isinstance(one, AllHeard) for one in list(gone_ear.heard.queue))


def test_who_left_does_not_hear_that_the_engine_broke_later() -> None:
    engine = WatchedEngine()
    engine.fail_at_step = 1
    with running(engine) as device:
        gone, gone_ear = enter(device)
        device.leave(gone)
        stays, ear = enter(device)
        device.push(stays, bytes(2 * 16_000))
        ear.until(SeatFailed)
    assert gone_ear.heard.empty()


def test_words_behind_a_flush_meet_a_fresh_stream() -> None:
    with running(WatchedEngine()) as device:
        occupant, ear = enter(device)
        for word in ("abc ", "cab "):
            device.push(occupant, encode(PCM, script_audio(word)))
            device.push(occupant, EndAsked(word, "flush"))
        device.push(occupant, EndAsked("", "finish"))
        finals = [one for one in ear.until(AllHeard) if isinstance(one, WordsForGood)]
    words = [(word.text, word.start_ms) for final in finals for word in final.words]
    assert words == [("abc", 0), ("cab", 160)]


def test_a_seat_that_has_nothing_to_do_says_at_once_that_there_is_room() -> None:
    with running(WatchedEngine()) as device:
        occupant, ear = enter(device)
        device.push(occupant, bytes(2))
        device.wants_room(occupant, yes=True)
        assert ear.until(Consumed) == [Consumed(0)]


def test_a_crowded_seat_says_when_there_is_room() -> None:
    with running(WatchedEngine()) as device:
        occupant, ear = enter(device)
        device.push(occupant, bytes(2 * 16_000))
        device.wants_room(occupant, yes=True)
        consumed = ear.until(Consumed)[-1]
        assert isinstance(consumed, Consumed)


def test_stopping_is_prompt_with_work_waiting() -> None:
    with running(WatchedEngine()) as device:
        occupant, _ = enter(device)
        device.push(occupant, bytes(2 * 16_000 * 60))
    assert not device._thread.is_alive()


class Nobody:
    """A voice activity model that never hears anybody."""

    def open(self, _caller_hz: int) -> list[Samples]:
        return []

    def accept(self, stream: list[Samples], samples: Samples) -> None:
        stream.append(samples)

    def ready(self, stream: list[Samples]) -> bool:
        return bool(stream)

    def step(self, streams: list[list[Samples]]) -> Samples:
        for stream in streams:
            stream.pop(0)
        return np.zeros((len(streams), WINDOWS_PER_STEP), np.float32)


@pytest.mark.parametrize(("gated", "wanted"), [(True, ""), (False, "abc cab")])
def test_words_at_which_the_gatekeeper_hears_nobody_are_left_out(gated: bool, wanted: str) -> None:
    keeper = Gatekeeper(Nobody()) if gated else None  # type: ignore[arg-type]
    device = Device(
        WatchedEngine, BatchRules(max_wait_s=0.0), SystemClock(), deliver, lambda: keeper
    )
    device.start(WAIT_S)
    try:
        occupant, ear = enter(device)
        device.push(occupant, encode(PCM, script_audio("abc cab")))
        device.push(occupant, EndAsked("", "finish"))
        assert said(ear.until(AllHeard)) == wanted
    finally:
        device.stop()


def test_a_gatekeeper_that_cannot_be_made_is_heard_of_at_the_start() -> None:
    def broken() -> Gatekeeper:
        raise EngineFailed("no voice activity")

    device = Device(WatchedEngine, BatchRules(), SystemClock(), deliver, broken)
    with pytest.raises(EngineFailed, match="no voice activity"):
        device.start(WAIT_S)
