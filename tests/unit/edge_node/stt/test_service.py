"""The way from the device's thread back to the event loop."""

import asyncio
from collections.abc import Sequence

import pytest

from edge_node.sessions.heard import Heard, SeatFailed
from edge_node.sessions.utterances import Rules
from edge_node.stt.batcher import BatchRules
from edge_node.stt.engine import Engine
from edge_node.stt.scripted import DEFAULT_PROFILE, ScriptedEngine, script_audio
from edge_node.stt.seat import Seat
from edge_node.stt.service import Recogniser
from heliovox.protocol.audio import AudioFormat
from shared.audio import encode
from shared.clock import SystemClock
from shared.errors import ModelRefused
from shared.tasks import Tasks

pytestmark = pytest.mark.anyio
LIMIT_S = 10.0


def seat() -> Seat:
    return Seat(AudioFormat(), DEFAULT_PROFILE, Rules.of(40.0, 700))


async def test_a_fault_in_one_session_does_not_keep_words_from_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    recogniser = Recogniser(ScriptedEngine, BatchRules(max_wait_s=0.05), SystemClock())
    tasks, ready, heard = Tasks(), asyncio.Event(), asyncio.Event()

    told: list[Heard] = []

    def fail(found: Sequence[Heard]) -> None:
        told.extend(found)
        raise RuntimeError("a fault of ours")

    def listen(_: Sequence[Heard]) -> None:
        heard.set()

    tasks.begin(recogniser.run(ready), "recogniser")
    async with asyncio.timeout(LIMIT_S):
        await ready.wait()
        device = recogniser.device
        occupants = [device.enter(seat(), fail), device.enter(seat(), listen)]
        for occupant in occupants:
            device.push(occupant, encode(AudioFormat(), script_audio("hello world ")))
        await heard.wait()
    await tasks.end()
    assert "a fault of ours" in caplog.text
    assert isinstance(told[-1], SeatFailed)
    assert recogniser.check() is None


async def test_who_left_hears_nothing_of_what_was_on_its_way() -> None:
    """The report waits for the loop, and the leaver is quicker."""
    recogniser = Recogniser(ScriptedEngine, BatchRules(max_wait_s=0.0), SystemClock())
    tasks, ready, heard = Tasks(), asyncio.Event(), asyncio.Event()
    told: list[Heard] = []
    tasks.begin(recogniser.run(ready), "recogniser")
    async with asyncio.timeout(LIMIT_S):
        await ready.wait()
        device = recogniser.device
        gone = device.enter(seat(), told.extend)
        device.push(gone, encode(AudioFormat(), script_audio("hello world ")))
        while not device.meter.chunks:
            pass  # the loop stands still, the device's thread does not
        device.leave(gone)
        stays = device.enter(seat(), lambda _: heard.set())
        device.push(stays, encode(AudioFormat(), script_audio("hello world ")))
        await heard.wait()
    await tasks.end()
    assert told == []


async def test_an_engine_that_does_not_load_is_what_running_raises() -> None:
    def refuse() -> Engine:
        raise ModelRefused("not a model")

    recogniser = Recogniser(refuse, BatchRules(), SystemClock())
    with pytest.raises(ModelRefused):
        await recogniser.run(asyncio.Event())
    assert recogniser.check() == "not a model"
