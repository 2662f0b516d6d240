"""What the next start of a node says of the sessions that this one left open."""

from shared.ledger.standing import Standing, standing_of
from tests.support.ledgers import chaotic_hour


def test_what_was_open_is_closed_as_far_as_it_is_known() -> None:
    story = chaotic_hour(3)
    node = max(story.nodes, key=lambda one: len(one.meters))
    assert node.meters
    standing = standing_of(node.lines, Standing())
    assert set(standing.open) == set(node.meters)
    for closed in standing.died():
        assert closed.unknown_from == node.meters[closed.session].samples.heard_written
        assert (closed.samples, closed.total, closed.reason) == (None, None, "node_died")


def test_it_goes_on_from_what_was_open_before() -> None:
    [node, *_] = chaotic_hour(3).nodes
    half = len(node.lines) // 2
    whole = standing_of(node.lines, Standing()).open
    before = standing_of(node.lines[:half], Standing()).open
    after = standing_of(node.lines[half:], Standing(before)).open
    assert after == whole
