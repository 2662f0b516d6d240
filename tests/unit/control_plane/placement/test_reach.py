from control_plane.placement.reach import reach, with_room
from tests.support.fleets import ask, fleet, policy, report


def test_seats_are_waited_for_at_home_and_where_overflow_goes() -> None:
    """Full or not; and nowhere that has no node for it."""
    nodes = [report("c", "eu-central", fits=0, held=5), report("w", "eu-west", fits=0, held=5)]
    view = fleet([*nodes, report("s", "ap-south", fits=3)]).view(10.0)
    assert reach(view, ask(), policy("eu-only")) == {"eu-central", "eu-west"}
    nobody = fleet([]).view(10.0)
    assert reach(nobody, ask(), policy("eu-only")) == policy("eu-only").allowed


def test_room_is_where_a_node_that_is_ready_says_so() -> None:
    nodes = [
        report("c", "eu-central", fits=0, held=5),
        report("w", "eu-west", fits=2),
        report("s", "ap-south", fits=3, draining=True),
    ]
    view = fleet(nodes).view(10.0)
    assert with_room(view, "recognition") == {"eu-west"}
    assert with_room(view, "dancing") == frozenset()
