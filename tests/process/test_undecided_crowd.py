"""Handshakes without keys that are followed by nothing, more than the node has places."""

from contextlib import ExitStack

import pytest

from tests.support.raw import RawCaller, upgrade_request
from tests.support.running_node import RunningNode
from tests.support.talk import FINISH, opened, rest, spoken, wait_for, words

pytestmark = pytest.mark.process

NODE = {"max_streams": 4, "connections": {"max_connections": 64}}


def test_sessions_go_on_and_new_ones_begin(node: RunningNode) -> None:
    with ExitStack() as crowd, node.call() as live:
        opened(live)
        live.send(spoken("before "))
        for _ in range(300):
            caller = crowd.enter_context(RawCaller(node.port, upgrade_request(node.key)))
            assert caller.status() == 101
        with node.call() as late:
            opened(late)
            late.send(spoken("late   "))
            late.send(FINISH)
            assert words(rest(late)) == ["late"]
        wait_for(lambda: node.metric("sockets") <= 64)
        live.send(spoken("after   "))
        live.send(FINISH)
        assert words(rest(live)) == ["before after"]
