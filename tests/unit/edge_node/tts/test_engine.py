"""A voice that fails leaves no silence: another says the same clause, and the stream says so."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_node.tts.breaker import Breaker, BreakerRules
from edge_node.tts.engine import VoiceEngine
from edge_node.tts.events import SpeechChunk, VoiceSwitch
from edge_node.tts.front_end import english
from shared.errors import EngineFailed, Unsupported

RULES = BreakerRules(failures=2, rest_s=30.0)


class FakeVoice:
    """Its samples are its level, one a symbol; or what it was told to give or raise."""

    def __init__(self, name: str, level: float) -> None:
        self.name, self.level, self.asked = name, level, 0
        self.gives: NDArray[np.float32] | Exception | None = None

    def say(self, symbols: Sequence[str], speed: float) -> NDArray[np.float32]:
        self.asked += 1
        if isinstance(self.gives, Exception):
            raise self.gives
        said = np.full(int(len(symbols) / speed), self.level, np.float32)
        return said if self.gives is None else self.gives


class House:
    def __init__(self) -> None:
        self.first, self.second = FakeVoice("first", 0.5), FakeVoice("second", 0.25)
        self.now_s = 0.0
        self.engine = VoiceEngine(
            [self.first, self.second], "second", english(), lambda: self.now_s, Breaker(RULES)
        )

    def say(self) -> list[str]:
        """Who was switched to, and how loud what was said is."""
        events = self.engine.say("hello there.", self.engine.reader("first"), 1.0)
        return [e.reason if isinstance(e, VoiceSwitch) else f"{e.samples[0]:g}" for e in events]


@pytest.fixture
def house() -> House:
    return House()


def test_a_sound_voice_speaks(house: House) -> None:
    assert house.say() == ["0.5"]


@pytest.mark.parametrize(
    ("gives", "reason"),
    [
        (RuntimeError("broken"), "RuntimeError"),
        (np.zeros(0, np.float32), "EngineFailed"),
        (np.zeros(100, np.float32), "EngineFailed"),
        (np.full(100, np.nan, np.float32), "EngineFailed"),
    ],
)
def test_the_same_clause_is_said_by_the_fallback(
    house: House, gives: NDArray[np.float32] | Exception, reason: str
) -> None:
    house.first.gives = gives
    assert house.say() == [reason, "0.25"]


def test_within_a_text_the_voice_changes_once(house: House) -> None:
    reader = house.engine.reader("first")
    house.first.gives = RuntimeError("broken")
    house.engine.say("one.", reader, 1.0)
    house.first.gives = None
    (only,) = house.engine.say("two.", reader, 1.0)
    assert isinstance(only, SpeechChunk)
    assert only.samples[0] == 0.25


def test_after_failures_the_voice_is_not_even_asked_until_it_has_rested(house: House) -> None:
    house.first.gives = RuntimeError("broken")
    assert [house.say()[0] for _ in range(3)] == ["RuntimeError", "RuntimeError", "circuit open"]
    assert house.first.asked == 2
    house.first.gives, house.now_s = None, 30.0
    assert house.say() == ["0.5"]
    assert house.engine.states()["first"] == "closed"


def test_both_voices_failing_is_an_error_that_names_them(house: House) -> None:
    house.first.gives = house.second.gives = RuntimeError("broken")
    with pytest.raises(EngineFailed, match="first and second"):
        house.say()


def test_the_fallback_is_always_tried(house: House) -> None:
    house.second.gives = RuntimeError("broken")
    for _ in range(5):
        with pytest.raises(EngineFailed):
            house.engine.synthesise("hello.", "second")
    house.second.gives = None
    assert house.engine.synthesise("hello.", "second")[0] == 0.25


def test_an_unknown_voice_is_told_those_that_exist(house: House) -> None:
    with pytest.raises(Unsupported) as caught:
        house.engine.synthesise("hello.", "third")
    assert caught.value.remedy == "use one of: first, second"


@pytest.mark.parametrize("speed", [0.49, 2.01, float("nan"), float("inf"), -1.0, 0.0])
def test_speeds_beyond_the_range_are_refused(house: House, speed: float) -> None:
    with pytest.raises(Unsupported, match="speed"):
        house.engine.synthesise("hello.", "first", speed)


def test_warming_up_finds_a_broken_voice(house: House) -> None:
    house.second.gives = RuntimeError("broken")
    with pytest.raises(RuntimeError):
        house.engine.warm_up()
