"""A node that keeps its chain and lies in it: what does not add up, or what others know, tells."""

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from shared.ledger.metering import Meter
from shared.ledger.records import Closed, Counted, Deleted, Heard, Missed, Record
from tests.support.ledgers import (
    RATE,
    START_MS,
    WHOLE,
    WORLDS,
    Centre,
    Node,
    Span,
    Story,
    files_of,
    key_from,
)
from tests.support.verdicts import verdict


def story_of() -> Story:
    draw = random.Random(5)
    centre = Centre(key_from(draw))
    nodes = [Node(name, region, key_from(draw)) for name, region in (("a-1", "a"), ("b-1", "b"))]
    centre.publish(WORLDS[0], START_MS)
    story = Story(draw, centre, nodes)
    for node in nodes:
        node.start(START_MS)
    return story


def said(story: Story, span: Span = WHOLE) -> str:
    for node in story.nodes:
        node.head(story.centre, story.now_ms)
    first = verdict(files_of(story, span))["first"]
    assert first is not None
    return str(first)


def test_without_a_lie_nothing_is_wrong() -> None:
    story = story_of()
    session = story.open(story.nodes[0])
    story.listen(20_000)
    story.close(session, story.nodes)
    for node in story.nodes:
        node.head(story.centre, story.now_ms)
    assert verdict(files_of(story))["problems"] == 0


def heard(session: str, first: int, end: int) -> Record:
    return Heard(session=session, unit="samples", first=first, end=end)


def counted(session: str, first: int, end: int) -> Record:
    return Counted(session=session, unit="samples", first=first, end=end)


def closed(session: str, samples: int | None, total: int | None, **more: Any) -> Record:
    fields = {"reason": "finish", "characters": 0} | more
    return Closed(session=session, samples=samples, total=total, **fields)


LIES: dict[str, tuple[Callable[[str], list[Record]], str]] = {
    "counts twice": (
        lambda s: [heard(s, 0, 9), counted(s, 0, 9), counted(s, 5, 9)],
        "counted goes on at sample 5, not 9",
    ),
    "leaves out": (
        lambda s: [heard(s, 0, 9), counted(s, 0, 4), counted(s, 5, 9)],
        "counted goes on at sample 5, not 4",
    ),
    "counts what it did not hear": (
        lambda s: [heard(s, 0, 9), counted(s, 0, 10)],
        "counts what was not heard",
    ),
    "hears backwards": (lambda s: [heard(s, 0, 9), heard(s, 4, 12)], "heard goes on at sample 4"),
    "hears nothing at length": (lambda s: [heard(s, 0, 0)], "heard goes on at sample 0"),
    "closes elsewhere": (
        lambda s: [heard(s, 0, 9), counted(s, 0, 9), closed(s, 8, 8)],
        "closes at another place",
    ),
    "another total": (
        lambda s: [heard(s, 0, 9), counted(s, 0, 9), closed(s, 9, 8)],
        "total is not what was heard",
    ),
    "counts too little": (
        lambda s: [heard(s, 0, 9), counted(s, 0, 8), closed(s, 9, 9)],
        "9 samples in all, and 8 count",
    ),
    "more acknowledged": (
        lambda s: [heard(s, 0, 9), counted(s, 0, 9), closed(s, 9, 9, acked_sample=10)],
        "acknowledged more than was heard",
    ),
    "goes on elsewhere": (
        lambda s: [heard(s, 0, 9), counted(s, 0, 9), closed(s, 9, None)],
        "nobody says that he had it",
    ),
    "dies while it lives": (
        lambda s: [closed(s, None, None, reason="node_died", characters=None, unknown_from=0)],
        "is not open",
    ),
    "a session of nobody": (lambda _: [heard("other", 0, 9)], "session other is not open"),
    "misses": (lambda _: [Missed(records=3, since_ms=5)], "3 records are lost"),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_does_not_add_up_is_found(lie: str) -> None:
    story = story_of()
    session = story.open(story.nodes[0])
    story.centre.sessions.clear()
    records, expected = LIES[lie]
    story.nodes[0].write(records(session), story.now_ms)
    story.now_ms += 600_000  # whatever belongs to it would be signed by now
    assert expected in said(story)


def opened_as(story: Story, node: Node, **other: Any) -> None:
    record = story.opened("s1", story.nodes[0], "recogniser", "general")
    node.write([msgspec.structs.replace(record, **other)], story.now_ms)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"data": "health", "allowed": ""}, "eu-only does not allow c (eu-only.allow)"),
        ({"policy": "default", "data": "health", "allowed": ""}, "(no-health-abroad.forbid)"),
        ({"policy": "none"}, "was not in effect, or is none"),
        ({"policy_version": "000000000000"}, "was not in force then"),
        ({"policy": "default"}, "another set of allowed regions"),
    ],
)
def test_a_place_that_was_not_allowed_is_found(other: dict[str, Any], expected: str) -> None:
    """Whatever the node says that it went by, the facts that it names decide."""
    story = story_of()
    node = Node("c-1", "c", key_from(random.Random(8)))
    story.nodes.append(node)
    node.start(START_MS)
    opened_as(story, node, **other)
    assert expected in said(story)


def test_a_relay_must_be_allowed_too() -> None:
    story = story_of()
    relay = Node("c-1", "c", key_from(random.Random(8)))
    relay.start(START_MS)
    session = story.open(story.nodes[0])
    story.nodes.append(relay)
    opened = story.opened(session, story.nodes[0], "relay", "general")
    line = story.nodes[0].lines[-1]
    same = msgspec.json.decode(line)
    relay.write([msgspec.structs.replace(opened, data=same["data"])], story.now_ms)
    first = said(story)
    assert "node c-1" in first
    assert "does not allow c" in first


def test_a_relay_counts_nothing() -> None:
    story = story_of()
    session = story.open(story.nodes[0], story.nodes[1])
    story.nodes[1].write([heard(session, 0, 9), counted(session, 0, 9)], story.now_ms)
    assert "a relay counts nothing" in said(story)


def test_a_relay_that_hears_less_than_it_passes_on_is_found() -> None:
    story = story_of()
    session = story.open(story.nodes[0], story.nodes[1])
    story.nodes[0].write([heard(session, 0, RATE)], story.now_ms)
    story.nodes[1].write([heard(session, 0, 9), closed(session, 9, None)], story.now_ms)
    assert "heard less than it passed on" in said(story)


def test_a_relay_that_says_nothing_is_missed() -> None:
    story = story_of()
    story.now_ms += 600_000
    opened = story.opened("s1", story.nodes[0], "recogniser", "general", admitted_by="relay")
    story.nodes[0].write([opened], story.now_ms)
    story.now_ms += 600_000
    for node in story.nodes:
        node.write([Deleted(session="x", of="y", regions=(), objects=0, reason="z")], story.now_ms)
    assert "no relay says that it heard it" in said(story, Span(START_MS, story.now_ms + 1))


def test_two_nodes_that_count_the_same_are_found() -> None:
    story = story_of()
    session = story.open(story.nodes[0])
    story.listen(20_000)
    story.move(session, *story.nodes)
    meter = story.nodes[1].meters[session]
    story.listen(20_000)
    story.close(session, story.nodes)
    first = story.nodes[1].lines
    assert meter.from_sample > 0
    start = meter.from_sample - 1
    story.nodes[1] = other = Node("b-1", "b", key_from(random.Random(3)))
    other.start(START_MS)
    opened = msgspec.json.decode(next(line for line in first if b'"opened"' in line))
    record = story.opened(session, other, "recogniser", opened["data"], admitted_by="ticket")
    other.write(
        [msgspec.structs.replace(record, from_sample=start, decision=opened["decision"])],
        story.now_ms,
    )
    again = Meter(session, counts=True, from_sample=start)
    again.heard(meter.samples.heard, meter.samples.heard, 0)
    other.write(again.close("finish"), story.now_ms)
    assert f"samples {start} to {start + 1} count twice" in said(story)


@pytest.mark.parametrize(("by_ms", "expected"), [(-1, "monotonic clock runs backwards")])
def test_clocks_that_run_backwards_are_found(by_ms: int, expected: str) -> None:
    story = story_of()
    [node, _] = story.nodes
    story.listen(60_000)
    story.open(node)
    node.write([], story.now_ms)
    story.now_ms += by_ms
    story.open(node)
    assert expected in said(story)


@pytest.mark.parametrize("by_ms", [-200_000, 200_000])
def test_a_wall_clock_that_is_set_far_is_found(by_ms: int) -> None:
    story = story_of()
    [node, _] = story.nodes
    story.open(node)
    node.skew_ms = by_ms
    story.open(node)
    node.skew_ms = 0  # and set right before the centre sees it
    assert f"wall clock was set by {by_ms // 1000} s" in said(story)


def test_a_clock_far_from_the_centres_is_found() -> None:
    story = story_of()
    story.nodes[0].skew_ms = 200_000
    story.nodes[0].start(START_MS + 10)
    assert "clock and the centre's are 200 s apart" in said(story)


def test_a_ledger_that_is_shorter_than_it_was_is_found() -> None:
    """A node that was put back to an older copy of its disk, and went on from there."""
    story = story_of()
    [node, _] = story.nodes
    story.open(node)
    node.head(story.centre, story.now_ms)
    story.nodes[0] = other = Node("a-1", "a", node.key)
    other.start(START_MS)
    assert "shorter than it was" in said(story)


def test_two_ledgers_of_one_size_under_one_key_are_found() -> None:
    story = story_of()
    [node, _] = story.nodes
    node.head(story.centre, story.now_ms)
    story.nodes[0] = other = Node("a-1", "a", node.key, skew_ms=5)
    other.start(START_MS)
    assert "signed two ledgers of one size" in said(story)
