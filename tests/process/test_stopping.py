"""How a node ends; each test ends one of its own."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from tests.support.running_node import RunningNode, running_node
from tests.support.talk import FINISH, opened, rest, spoken, until, words

pytestmark = pytest.mark.process


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[RunningNode]:
    with running_node(tmp_path, drain_s=30) as node:
        yield node
        assert node.complaints() == []


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[RunningNode]:
    with running_node(tmp_path, drain_s=1.0) as node:
        yield node
        assert node.complaints() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_node_ends_at_once(patient: RunningNode, number: signal.Signals) -> None:
    assert patient.stop(number) == 0


def test_a_live_session_ends_by_itself(patient: RunningNode) -> None:
    with patient.call() as caller:
        opened(caller)
        caller.send(spoken("hello "))
        patient.process.send_signal(signal.SIGTERM)
        assert until(caller, "draining")[-1]["deadline_ms"] == 30_000
        status, body = patient.get("/readyz")
        assert (status, json.loads(body)["ready"]) == (503, False)
        assert json.loads(body)["checks"]["admission"] == "draining"
        assert patient.get("/healthz")[0] == 200
        caller.send(spoken("world   "))
        caller.send(FINISH)
        heard = rest(caller)
        assert words(heard) == ["hello world"]
        assert caller.close_code == 1000
    assert patient.process.wait(10) == 0


def test_no_new_sessions(patient: RunningNode) -> None:
    with patient.call() as live, patient.call() as undecided:
        opened(live)
        patient.process.send_signal(signal.SIGTERM)
        until(live, "draining")
        with pytest.raises(InvalidStatus) as refused:
            patient.call()
        assert refused.value.response.status_code == 503
        assert json.loads(refused.value.response.body or b"{}")["code"] == "node_draining"
        status, body = patient.post("/v1/speech", b'{"text": "hello"}')
        assert (status, json.loads(body)["code"]) == (503, "node_draining")
        undecided.send('{"type": "start"}')
        assert {each.get("code") for each in rest(undecided)} >= {"node_draining"}


def test_the_deadline_ends_a_session_with_its_words(hasty: RunningNode) -> None:
    with hasty.call() as caller:
        opened(caller)
        caller.send(spoken("hello there "))
        until(caller, "partial")
        hasty.process.send_signal(signal.SIGTERM)
        heard = rest(caller)
        assert words(heard) == ["hello there"]
        assert heard[-1]["type"] == "ended"
        assert heard[-1]["reason"] == "draining"
        assert caller.close_code == 1001
    assert hasty.process.wait(10) == 0


def test_a_second_signal_does_not_wait(patient: RunningNode) -> None:
    with patient.call() as caller:
        opened(caller)
        patient.process.send_signal(signal.SIGTERM)
        until(caller, "draining")
        patient.process.send_signal(signal.SIGTERM)
        assert patient.process.wait(10) == 0
