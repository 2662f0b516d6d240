"""No seat is free."""

import json

import pytest

from tests.support.running_node import RunningNode
from tests.support.talk import FINISH, opened, rest, spoken, start, words

pytestmark = pytest.mark.process

NODE = {"max_streams": 2}


def test_the_refusal_names_streams_and_limit(node: RunningNode) -> None:
    with node.call() as first, node.call() as second:
        opened(first)
        opened(second, kind="synthesis")
        with node.call() as third:
            third.send(start())
            (error,) = rest(third)
            assert error["code"] == "node_full"
            assert error["retryable"]
            assert "2 of 2" in error["message"]
            assert third.close_code == 1013
        first.send(spoken("hello   "))
        first.send(FINISH)
        assert words(rest(first)) == ["hello"]
    with node.call() as again:
        assert opened(again)["node"] == "n-1"


def test_a_connection_that_has_not_started_takes_no_seat(node: RunningNode) -> None:
    with node.call(), node.call(), node.call(), node.call() as speaking:
        assert opened(speaking)["kind"] == "recognition"


def test_speech_over_http_is_bounded_too(node: RunningNode) -> None:
    body = json.dumps({"text": "hello"}).encode()
    status, audio = node.post("/v1/speech", body)
    assert (status, audio[:4]) == (200, b"RIFF")
