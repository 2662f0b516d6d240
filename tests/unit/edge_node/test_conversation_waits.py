"""What a conversation does before it is decided where it goes."""

import asyncio
from typing import Any

import pytest

from edge_node.stt.scripted import script_audio
from heliovox.protocol import messages as wire
from heliovox.protocol.audio import AudioFormat
from heliovox.protocol.control import Basis, Estimate, InLine
from shared.audio import encode
from shared.errors import NoRoom
from tests.support.conversing import Stage, say, slow
from tests.support.fleet import until


def test_nothing_is_read_before_the_decision_and_nothing_is_lost(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        desk = slow(stage)
        talk, far_end = stage.caller()
        say(talk, wire.Start())
        assert far_end.reading  # who waits for the answer is noticed when he goes
        talk.audio(encode(AudioFormat(), script_audio("abc" + " " * 40)))
        assert not far_end.reading
        say(talk, wire.Finish())
        assert talk.session.received_sample == 0
        desk.answered.set()
        messages = await far_end.until(None)
        assert isinstance(messages[0], wire.Started)
        assert [one.text for one in messages if isinstance(one, wire.Final)] == ["abc"]
        assert stage.admission.taken == 0

    play(scene)


def test_too_much_before_the_decision_is_too_much(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        desk = slow(stage)
        talk, far_end = stage.caller()
        say(talk, wire.Start())
        for _ in range(3):
            talk.audio(bytes(1 << 20))
        [error, _] = await far_end.until(None)
        assert error.code == "too_big"
        desk.answered.set()
        await until(lambda: not len(stage.house.tasks))
        assert stage.admission.taken == 0

    play(scene)


@pytest.mark.parametrize("end", ["lost", "drain_over"])
def test_who_is_gone_before_the_decision_holds_no_seat(play: Any, end: str) -> None:
    async def scene(stage: Stage) -> None:
        desk = slow(stage)
        talk, far_end = stage.caller()
        say(talk, wire.Start())
        await asyncio.sleep(0)
        getattr(talk, end)()
        desk.answered.set()
        await until(lambda: not len(stage.house.tasks))
        assert stage.admission.taken == 0
        assert stage.house.live == {}
        assert (far_end.closed is None) == (end == "lost")

    play(scene)


LINE = InLine("w-1", 60.0, 3, Estimate(5.0, 30.0, 0.8, Basis("kind", 400, 12), 0.9), 2)


def test_a_place_in_line_is_told_and_then_the_session_opens(play: Any) -> None:
    """Nothing that was sent meanwhile is lost, and his silence is not held against him."""

    async def scene(stage: Stage) -> None:
        desk = slow(stage)
        desk.in_line = LINE
        talk, far_end = stage.caller()
        say(talk, wire.Start())
        [told] = await far_end.until(wire.Waiting)
        assert (told.position, told.low_s, told.high_s, told.chance) == (3, 5.0, 30.0, 0.9)
        assert (told.source, told.sessions, told.version) == ("kind", 400, 2)
        talk.audio(encode(AudioFormat(), script_audio("abc" + " " * 40)))
        say(talk, wire.Finish())
        for second in range(0, 2000, 100):
            talk.tick(float(second))
        desk.answered.set()
        messages = await far_end.until(None)
        assert isinstance(messages[0], wire.Started)
        assert [one.text for one in messages if isinstance(one, wire.Final)] == ["abc"]

    play(scene)


@pytest.mark.parametrize("end", ["lost", "drain_over", "hung up", "too much"])
def test_who_goes_gives_up_his_place_at_once(play: Any, end: str) -> None:
    """Also where he is not read from, so that nobody says that he is gone."""

    async def scene(stage: Stage) -> None:
        desk = slow(stage)
        desk.in_line = LINE
        talk, far_end = stage.caller()
        say(talk, wire.Start())
        await far_end.until(wire.Waiting)
        if end == "hung up":
            talk.tick(1.0)
            assert not desk.given_up
            far_end.gone = True
            talk.tick(2.0)
        elif end == "too much":
            for _ in range(3):
                talk.audio(bytes(1 << 20))
        else:
            getattr(talk, end)()
        await until(lambda: not len(stage.house.tasks))
        assert desk.given_up
        assert stage.admission.taken == 0
        assert (far_end.closed is None) == (end == "lost")

    play(scene)


def test_a_refusal_after_a_wait_is_told(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        desk = slow(stage)
        desk.error = NoRoom("all are full")
        talk, far_end = stage.caller()
        say(talk, wire.Start())
        talk.audio(bytes(320))
        desk.answered.set()
        [error, _] = await far_end.until(None)
        assert (error.code, far_end.closed) == ("no_room", (1013, "no_room"))

    play(scene)
