"""Conversations that lose their connection and come back, over the scripted recogniser."""

import asyncio
import dataclasses
from secrets import token_bytes
from typing import Any

import pytest

from edge_node.conversation import Conversation
from edge_node.recovery.parking import ParkingRules
from edge_node.recovery.service import Recoveries
from edge_node.sessions.heard import SeatFailed
from edge_node.stt.scripted import script_audio
from heliovox.protocol import messages as wire
from heliovox.protocol.audio import AudioFormat
from shared.audio import encode
from shared.errors import EngineFailed, LimitPassed
from shared.exchange import MoveTo
from tests.support.conversing import FarEnd, Stage, say

PAUSE = " " * 40


def pcm(text: str) -> bytes:
    return encode(AudioFormat(), script_audio(text))


async def opened(
    stage: Stage, resume: wire.Resume | None = None, key: str | None = None, **ask: Any
) -> tuple[Conversation, FarEnd, wire.Started]:
    talk, far_end = stage.caller(key)
    say(talk, wire.Start(recovers=True, resume=resume, **ask))
    [started] = await far_end.until(wire.Started)
    return talk, far_end, started


def token_of(started: wire.Started) -> str:
    assert started.recovery is not None
    return started.recovery.token


async def refusal(stage: Stage, resume: wire.Resume, key: str | None = None, **ask: Any) -> str:
    talk, far_end = stage.caller(key)
    say(talk, wire.Start(recovers=True, resume=resume, **ask))
    [error, _] = await far_end.until(None)
    assert isinstance(error, wire.Error)
    assert error.remedy
    assert not resume.token or resume.token not in str(error)
    return error.code


def test_a_session_goes_on_where_its_words_end(play: Any) -> None:
    """The words and their times are those of an undisturbed session."""

    async def scene(stage: Stage) -> None:
        audio = pcm("abc" + PAUSE + "de fgh" + PAUSE + "ij")
        talk, far_end, started = await opened(stage)
        talk.audio(audio)
        say(talk, wire.Finish())
        undisturbed = [m for m in await far_end.until(None) if isinstance(m, wire.Final)]
        talk.lost(goodbye=True)

        talk, far_end, started = await opened(stage)
        talk.audio(audio[: len(audio) * 2 // 3 + 1])
        *_, first = await far_end.until(wire.Final)
        talk.lost()
        resume = wire.Resume(token_of(started), 1, first.through_sample)
        talk, far_end, again = await opened(stage, resume)
        assert (again.session, again.recovery.number) == (started.session, 2)
        assert again.from_sample >= first.through_sample
        talk.audio(audio[2 * again.from_sample :])
        say(talk, wire.Finish())
        messages = await far_end.until(None)
        finals = [m for m in messages if isinstance(m, wire.Final)]
        assert [first, *finals] == undisturbed
        assert messages[-2] == wire.Ended(started.session, "finish", 3, len(audio) // 32)
        talk.lost(goodbye=True)
        assert (stage.admission.taken, stage.house.recoveries.stays) == (0, {})
        assert stage.house.recoveries.counts["resumed"] == 1

    play(scene)


def test_a_seat_is_kept_free_for_a_moment_and_may_be_anybodys_then(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        talk, _, started = await opened(stage)
        talk.lost()
        assert stage.admission.taken == 1
        stage.clock.at_s = 2.0
        stage.house.recoveries.tick()
        assert stage.admission.taken == 0
        other, _, _ = await opened(stage)
        assert await refusal(stage, wire.Resume(token_of(started))) == "node_full"
        other.lost(goodbye=True)
        await opened(stage, wire.Resume(token_of(started)))
        assert stage.admission.taken == 1

    play(scene, limit=1)


def test_who_does_not_come_back_in_time_is_over_once(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        talk, _, started = await opened(stage)
        talk.lost()
        for stage.clock.at_s in (119.9, 120.1, 121.0):
            stage.house.recoveries.tick()
        assert await refusal(stage, wire.Resume(token_of(started))) == "resume_refused"
        assert stage.house.recoveries.counts["not_resumed"] == 1
        assert stage.house.recoveries.stays == {}

    play(scene)


def test_a_session_that_fails_at_its_end_does_not_hold_up_the_others(
    play: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(stage: Stage) -> None:
        recoveries = stage.house.recoveries
        for _ in range(2):
            talk, _, _ = await opened(stage)
            talk.lost()
        first, second = recoveries.stays.values()
        first.end = None  # type: ignore[method-assign, assignment]
        stage.clock.at_s = 121.0
        recoveries.tick()
        assert (recoveries.stays, second.over) == ({}, True)

    play(scene)
    assert [one for one in caplog.messages if "failed at its end" in one]


def test_nobody_is_over_while_nobody_can_say_that_he_is_elsewhere(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        heard = False
        recoveries = Recoveries(ParkingRules(), stage.clock, token_bytes, may_end=lambda: heard)
        stage.house = dataclasses.replace(stage.house, recoveries=recoveries)
        talk, _, started = await opened(stage)
        talk.lost()
        stage.clock.at_s = 500.0
        recoveries.tick()
        assert started.session in recoveries.parking
        assert stage.admission.taken == 0
        heard = True
        recoveries.tick()
        assert recoveries.stays == {}

    play(scene)


def test_a_token_is_good_once_and_only_its_callers(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        talk, _, first = await opened(stage)
        talk.lost()
        resume = wire.Resume(token_of(first))
        assert await refusal(stage, resume, key="better") == "resume_refused"
        assert await refusal(stage, wire.Resume("forged")) == "resume_refused"
        assert await refusal(stage, wire.Resume("")) == "resume_refused"
        talk, _, second = await opened(stage, resume)
        talk.lost()  # before anything shows that the second token came
        talk, _, third = await opened(stage, resume)
        assert await refusal(stage, wire.Resume(token_of(second))) == "resume_refused"
        say(talk, wire.KeepAlive())
        assert await refusal(stage, resume) == "resume_refused"
        talk.lost()
        assert third.recovery is not None
        assert third.recovery.number == 2
        await opened(stage, wire.Resume(token_of(third)))

    play(scene)


def test_the_newer_connection_wins_and_the_older_one_is_told(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        audio = pcm("abc" + PAUSE + "de")
        older, older_end, started = await opened(stage)
        older.audio(audio[:3000])
        newer, newer_end, again = await opened(stage, wire.Resume(token_of(started)))
        *_, error, _ = await older_end.until(None)
        assert error.code == "superseded"
        assert older_end.closed is not None
        assert older_end.closed[0] == 4409
        older.lost(goodbye=True)
        assert again.from_sample == 0
        newer.audio(audio)
        say(newer, wire.Finish())
        messages = await newer_end.until(None)
        assert [m.text for m in messages if isinstance(m, wire.Final)] == ["abc", "de"]
        assert stage.admission.taken == 0

    play(scene)


def test_what_does_not_go_on_is_refused_and_waits_on(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        talk, _, started = await opened(stage)
        talk.lost()
        token = token_of(started)
        assert await refusal(stage, wire.Resume(token, 3, 0)) == "resume_mismatch"
        assert await refusal(stage, wire.Resume(token, 0, 99)) == "resume_mismatch"
        other = AudioFormat("mulaw", 8000)
        assert await refusal(stage, wire.Resume(token), audio=other) == "resume_mismatch"
        await opened(stage, wire.Resume(token))

    play(scene)


def test_a_broken_recogniser_leaves_the_session_waiting(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        talk, _, started = await opened(stage)
        talk.lost()
        stage.device.failure = EngineFailed("broke")
        assert await refusal(stage, wire.Resume(token_of(started))) == "engine_failed"
        assert started.session in stage.house.recoveries.parking
        assert stage.house.live == {}

    play(scene)


@pytest.mark.parametrize("elsewhere", [True, False])
def test_who_sits_on_a_device_that_breaks_goes_on_where_others_can_hear_him(
    play: Any, elsewhere: bool
) -> None:
    """A node that is alone says that it failed, as ever."""

    async def scene(stage: Stage) -> None:
        stage.house.recoveries.elsewhere = lambda: elsewhere
        talk, far_end, started = await opened(stage)
        talk.heard([SeatFailed(EngineFailed("broke"))])
        told = await far_end.until(None)
        assert [getattr(one, "code", None) for one in told] == [
            *["engine_failed"] * (not elsewhere),
            None,
        ]
        assert far_end.closed == ((1001 if elsewhere else 1011), "engine_failed")
        assert (started.session in stage.house.recoveries.parking) is elsewhere
        assert stage.house.tally.faults == 1

    play(scene)


def test_last_words_that_may_not_have_come_are_said_again(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        talk, far_end, started = await opened(stage)
        talk.audio(pcm("abc"))
        say(talk, wire.Finish())
        *_, final, ended, _ = await far_end.until(None)
        talk.lost()
        assert stage.admission.taken == 0
        talk, far_end, again = await opened(stage, wire.Resume(token_of(started)))
        assert await far_end.until(None) == [final, ended, None]
        talk.lost(goodbye=True)
        assert await refusal(stage, wire.Resume(token_of(again))) == "resume_refused"

    play(scene)


def test_a_caller_who_reads_nothing_may_just_be_cut_off(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        talk, far_end, started = await opened(stage)
        talk.refuse(LimitPassed("nothing was read"))
        assert far_end.closed is not None
        await opened(stage, wire.Resume(token_of(started)))

    play(scene)


def test_a_session_that_moves_waits_here_until_it_is_there(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        recoveries = stage.house.recoveries
        talk, far_end, started = await opened(stage, moves=True, redirect=True)
        to = MoveTo("ws://b/v1/stream", "ticket", "b", "r", "d", "moved", 10.0)
        assert talk.move(to)
        [redirect, _] = await far_end.until(None)
        assert (redirect.ticket, redirect.from_sample) == ("ticket", 0)
        talk.lost(goodbye=True)
        assert stage.admission.taken == 1, "it may come back"
        back, _, _ = await opened(stage, wire.Resume(token_of(started)), moves=True)
        assert not recoveries.give_up(started.session, 0, 1), "that was before it came back"
        assert back.move(to)
        assert not back.move(to), "it is on its way"
        assert recoveries.give_up(started.session, 0, 2)
        assert recoveries.give_up(started.session, 0, 2), "nothing is left"
        assert (stage.admission.taken, recoveries.stays) == (0, {})
        stays, _, _ = await opened(stage)
        assert not stays.move(to), "its caller never said that he can"

    play(scene)


def test_only_so_many_wait(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        stage.house.recoveries.parking.rules = type(stage.house.recoveries.rules)(most=1)
        for _ in range(3):
            talk, _, _ = await opened(stage)
            talk.lost()
        assert len(stage.house.recoveries.parking) == 1
        assert stage.admission.taken == 1
        assert stage.house.recoveries.counts["crowded_out"] == 2

    play(scene)


def test_texts_end_with_their_connection(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        talk, far_end, started = await opened(stage, kind="conversation")
        stage.voice.go_on.clear()
        say(talk, wire.Speak("a", "long text"))
        await far_end.until(wire.Speaking)
        talk.lost()
        await asyncio.wait_for(stage.voice.over.wait(), 5)
        stage.voice.go_on.set()
        talk, far_end, _ = await opened(stage, wire.Resume(token_of(started)), kind="conversation")
        say(talk, wire.Speak("a", "xy"))
        say(talk, wire.Finish())
        messages = await far_end.until(None)
        assert [m.cancelled for m in messages if isinstance(m, wire.Spoken)] == [False]

    play(scene)


def test_a_policy_says_how_long_and_whether(play: Any) -> None:
    """Its word outranks the node's, but a node that waits for nobody waits for nobody."""

    async def scene(stage: Stage) -> None:
        recoveries = stage.house.recoveries
        said: list[float | None] = [30.0]
        recoveries._policy_s = lambda _: said[0]
        talk, _, started = await opened(stage)
        assert started.recovery is not None
        assert started.recovery.expires_s == 30.0
        talk.lost()
        stage.clock.at_s = 31.0
        recoveries.tick()
        assert recoveries.counts["not_resumed"] == 1
        said[0] = 0.0
        talk, _, started = await opened(stage)
        assert started.recovery is None
        talk.lost(goodbye=True)
        said[0] = 600.0
        recoveries.rules = type(recoveries.rules)(expires_s=0.0)
        _, _, started = await opened(stage)
        assert started.recovery is None

    play(scene)
