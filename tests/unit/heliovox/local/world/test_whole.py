from typing import Any

import msgspec
import pytest

from heliovox.local.world.whole import what_is_missing
from heliovox.protocol.control import BundleView, NodeView

WANTED = [("a-1", "a"), ("b-1", "b")]
BUNDLE = BundleView("2", "p", ("a", "b"))
A, B = (
    NodeView(f"{at}-1", at, "ready", "hot", "u", "v", 0, 1, 0, {}, 0, 0, bundle_version="2")
    for at in "ab"
)


def test_a_world_is_ready_once_every_node_knows_every_region() -> None:
    assert what_is_missing(WANTED, [A, B], BUNDLE) == []


@pytest.mark.parametrize(
    ("node", "missing"),
    [
        ({"state": "stale"}, "b-1 is stale"),
        ({"bundle_version": "1"}, "b-1 admits by older rules"),
        ({"bundle_version": None}, "b-1 admits by older rules"),
        ({"node": "c-1"}, "b-1 has not reported"),
    ],
)
def test_one_node_that_is_not_is_enough(node: dict[str, Any], missing: str) -> None:
    assert what_is_missing(WANTED, [A, msgspec.structs.replace(B, **node)], BUNDLE) == [missing]


def test_a_region_that_no_rules_know_yet() -> None:
    early = msgspec.structs.replace(BUNDLE, in_service=("a",))
    assert what_is_missing(WANTED, [A, B], early) == ["b is not in service"]
