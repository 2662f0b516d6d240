"""What must hold at every moment, and what becomes of what breaks it."""

import logging
from dataclasses import replace
from typing import Any

import pytest

from edge_node.recovery.invariants import INVARIANTS, Broken, Seen, broken
from edge_node.recovery.watch import Watch
from edge_node.sessions.utterances import Rules
from edge_node.stt.seat import Seat
from heliovox.protocol import messages as wire
from heliovox.protocol.audio import AudioFormat
from tests.support.conversing import Stage, say

WELL = Seen(
    held={"recognition": 3, "synthesis": 0},
    seated={"recognition": 2},
    asking={"recognition": 1},
    live=frozenset({"a"}),
    connected=frozenset({"a", "z"}),
    known=frozenset({"a", "b"}),
    waiting=frozenset({"b", "c"}),
)


def test_a_node_where_all_is_well() -> None:
    assert broken(WELL) == ()


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (
            {"held": {"recognition": 3, "synthesis": 2}},
            Broken("seat_without_session", kind="synthesis", count=2),
        ),
        ({"asking": {}}, Broken("seat_without_session", kind="recognition")),
        (
            {"seated": {"recognition": 4}},
            Broken("session_without_seat", kind="recognition"),
        ),
        ({"strangers": 2}, Broken("occupant_without_session", count=2)),
        ({"connected": frozenset({"z"})}, Broken("session_without_connection", "a")),
        ({"waiting": frozenset({"c"})}, Broken("session_nowhere", "b")),
        ({"late": frozenset({"c"})}, Broken("waits_too_long", "c")),
    ],
)
def test_what_is_held_for_nobody_is_found(other: Any, found: Broken) -> None:
    assert broken(replace(WELL, **other)) == (found,)


def watched(stage: Stage, connected: set[Any]) -> Watch:
    house = stage.house
    return Watch(
        stage.admission,
        stage.device,
        house.recoveries,
        house.live,
        house.arriving,
        lambda: connected,
    )


def test_a_quiet_life_breaks_nothing(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        connected = set[Any]()
        watch = watched(stage, connected)
        for recovers in (True, False):
            talk, far_end = stage.caller()
            connected.add(talk)
            say(talk, wire.Start(recovers=recovers))
            await far_end.until(wire.Started)
            watch.look()
            connected.discard(talk)
            talk.lost()
            watch.look()
        for stage.clock.at_s in (2.0, 119.0, 126.0):
            stage.house.recoveries.tick()
            watch.look()
        assert not watch.broken.total()
        assert set(watch.broken) == set(INVARIANTS), "each is on the page of numbers from the start"

    play(scene)


def test_what_breaks_a_rule_is_said_with_its_story_and_freed(
    play: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(stage: Stage) -> None:
        connected = set[Any]()
        watch = watched(stage, connected)
        talk, far_end = stage.caller()
        say(talk, wire.Start())
        await far_end.until(wire.Started)
        stage.admission.take()
        stage.device.enter(Seat(AudioFormat(), stage.device.profile, Rules.of(40.0)), print)
        waiting, far_end = stage.caller()
        connected.add(waiting)
        say(waiting, wire.Start(recovers=True, kind="recognition"))
        await far_end.until(wire.Started)
        waiting.lost()
        stage.clock.at_s = 126.0
        watch.look()
        assert watch.broken == {
            "seat_without_session": 1,
            "session_without_seat": 0,
            "occupant_without_session": 1,
            "session_without_connection": 1,
            "session_nowhere": 0,
            "waits_too_long": 1,
        }
        watch.look()
        assert watch.broken.total() == 4, "all of it is free"
        assert (stage.admission.taken, stage.device.occupants) == (0, ())
        assert (stage.house.live, stage.house.recoveries.stays) == ({}, {})

    play(scene, limit=3)
    stories = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert len(stories) == 4
    assert any("started: recognition" in story for story in stories)


def test_a_session_that_nobody_holds_is_ended(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        watch = watched(stage, set())
        talk, far_end = stage.caller()
        say(talk, wire.Start(recovers=True))
        [started] = await far_end.until(wire.Started)
        talk.lost()
        stage.house.recoveries.parking.gone(started.session)
        watch.look()
        assert watch.broken["session_nowhere"] == 1
        assert stage.admission.taken == 0

    play(scene)
