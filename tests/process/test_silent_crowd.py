"""Ten thousand connections that say nothing."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.running_node import RunningNode
from tests.support.talk import FINISH, opened, rest, spoken, words

pytestmark = pytest.mark.process

CROWD = 10_000


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < CROWD + 500:
        pytest.skip(f"this process may open only {hard} files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_sessions_go_on_and_new_ones_begin(node: RunningNode) -> None:
    with ExitStack() as crowd, node.call() as live:
        opened(live)
        live.send(spoken("before "))
        for _ in range(CROWD):
            crowd.enter_context(socket.create_connection(("127.0.0.1", node.port), timeout=10))
        with node.call() as late:
            opened(late)
            late.send(spoken("late   "))
            late.send(FINISH)
            assert words(rest(late)) == ["late"]
        assert node.get("/healthz") == (200, b"ok\n")
        assert node.metric("silent_connections") <= 2048
        assert node.metric("connections_cut_total") >= CROWD - 2048
        live.send(spoken("after   "))
        live.send(FINISH)
        assert words(rest(live)) == ["before after"]
