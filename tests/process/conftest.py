"""One node for a module of tests; it must not have complained when they are over."""

from collections.abc import Iterator

import pytest

from tests.support.running_node import RunningNode, running_node


@pytest.fixture(scope="module")
def node(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[RunningNode]:
    """A module may name its node's settings: NODE = {...}."""
    settings = getattr(request.module, "NODE", {})
    with running_node(tmp_path_factory.mktemp("node"), **settings) as running:
        yield running
        assert running.stop() == 0
        assert running.complaints() == []
