"""Sessions of a real node whose connections are cut: they go on, or end once."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.sync.client import ClientConnection

from tests.support.running_node import RunningNode, running_node
from tests.support.talk import FINISH, opened, refusal, rest, spoken, start, until, wait_for, words

pytestmark = pytest.mark.process
PAUSE = " " * 30
AUDIO = spoken("hello" + PAUSE + "there you are" + PAUSE + "good")
SAID = ["hello", "there you are", "good"]
EXPIRES_S = 4.0


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    recovery = {"s": EXPIRES_S, "park_after_s": 0.5}
    with running_node(tmp_path_factory.mktemp("node"), recovery=recovery, max_streams=2) as node:
        yield node
        assert node.complaints() == []
        wait_for(lambda: node.metric("sessions_waiting") == 0)
        assert node.metric("invariants_broken_total") == 0


def cut(connection: ClientConnection) -> None:
    """As a network does: without a word."""
    connection.socket.shutdown(socket.SHUT_RDWR)


def resume(started: dict[str, Any], seq: int = 0, through_sample: int = 0) -> dict[str, Any]:
    token = started["recovery"]["token"]
    return {"token": token, "seq": seq, "through_sample": through_sample}


def cut_off_in_the_middle(node: RunningNode) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A session that has told one final and is in its next utterance."""
    with node.call() as caller:
        started = opened(caller, recovers=True)
        caller.send(AUDIO[: len(AUDIO) * 2 // 3])
        heard = until(caller, "final")
        cut(caller)
    return started, [one for one in heard if one["type"] == "final"]


def went_on(caller: ClientConnection, from_sample: int) -> list[Any]:
    caller.send(AUDIO[2 * from_sample :])
    caller.send(FINISH)
    return rest(caller)


def finals(messages: list[Any]) -> list[Any]:
    return [one for one in messages if one["type"] == "final"]


def test_a_session_goes_on_after_its_connection_was_cut(node: RunningNode) -> None:
    """Words, times and numbers are those of a session that nothing happened to."""
    with node.call() as caller:
        opened(caller)
        undisturbed = went_on(caller, 0)
    started, before = cut_off_in_the_middle(node)
    with node.call() as caller:
        again = opened(
            caller, recovers=True, resume=resume(started, 1, before[0]["through_sample"])
        )
        assert again["session"] == started["session"]
        heard = went_on(caller, again["from_sample"])
    assert [*before, *finals(heard)] == finals(undisturbed)
    assert {**heard[-1], "session": ""} == {**undisturbed[-1], "session": ""}
    assert words(undisturbed) == SAID


def test_a_caller_who_lacks_everything_is_told_everything(node: RunningNode) -> None:
    started, before = cut_off_in_the_middle(node)
    with node.call() as caller:
        again = opened(caller, recovers=True, resume=resume(started))
        heard = went_on(caller, again["from_sample"])
    assert words(heard) == SAID
    assert finals(heard)[0] == before[0]


def test_a_full_node_says_so_to_who_was_parked_and_lets_him_in_later(node: RunningNode) -> None:
    started, _ = cut_off_in_the_middle(node)
    wait_for(lambda: node.metric("streams") == 0)
    with node.call() as one, node.call() as two:
        opened(one)
        opened(two)
        with node.call() as caller:
            caller.send(start(recovers=True, resume=resume(started)))
            assert refusal(caller) == ("node_full", 1013)
    wait_for(lambda: node.metric("streams") == 0)
    with node.call() as caller:
        again = opened(caller, recovers=True, resume=resume(started))
        assert words(went_on(caller, again["from_sample"])) == SAID


def test_who_comes_too_late_is_refused_and_everything_is_over_once(node: RunningNode) -> None:
    over = node.metric("recoveries_total")
    started, _ = cut_off_in_the_middle(node)
    wait_for(lambda: node.metric("sessions_waiting") == 1)
    wait_for(lambda: node.metric("sessions_waiting") == 0)
    for _ in range(2):
        with node.call() as caller:
            caller.send(start(recovers=True, resume=resume(started)))
            assert refusal(caller) == ("resume_refused", 4401)
    assert node.metric("recoveries_total") == over + 2, "paused, and not resumed"
    assert node.metric("streams") == 0


def test_the_newer_connection_wins_while_the_older_one_still_lives(node: RunningNode) -> None:
    with node.call() as older, node.call() as newer:
        started = opened(older, recovers=True)
        older.send(AUDIO[:8000])
        again = opened(newer, recovers=True, resume=resume(started))
        assert refusal(older) == ("superseded", 4409)
        assert words(went_on(newer, again["from_sample"])) == SAID


@pytest.mark.parametrize("token", ["", "x" * 43, "x" * 100_000, "é\u0000"])
def test_a_forged_token_is_refused(node: RunningNode, token: str) -> None:
    with node.call() as caller:
        caller.send(start(recovers=True, resume={"token": token}))
        assert refusal(caller) == ("resume_refused", 4401)


def test_a_used_token_and_positions_that_do_not_go_on_are_refused(node: RunningNode) -> None:
    started, _ = cut_off_in_the_middle(node)
    for wrong in (resume(started, 7, 0), resume(started, 0, 10**9), resume(started, -1, 0)):
        with node.call() as caller:
            caller.send(start(recovers=True, resume=wrong))
            assert refusal(caller) == ("resume_mismatch", 1007)
    with node.call() as caller:
        opened(caller, recovers=True, resume=resume(started))
        caller.send(json.dumps({"type": "keepalive"}))
        caller.send(json.dumps({"type": "marker", "id": "m"}))
        until(caller, "marker")
        with node.call() as other:
            other.send(start(recovers=True, resume=resume(started)))
            assert refusal(other) == ("resume_refused", 4401)


def test_no_token_is_ever_in_a_log(node: RunningNode) -> None:
    started, _ = cut_off_in_the_middle(node)
    with node.call() as caller:
        caller.send(start(recovers=True, resume=resume(started, 9)))
        refusal(caller)
    with node.call() as caller:
        again = opened(caller, recovers=True, resume=resume(started))
    log = node.log.read_text()
    for one in (started, again):
        assert one["recovery"]["token"] not in log
