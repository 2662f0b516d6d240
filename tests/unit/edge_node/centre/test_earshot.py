"""For how long the fleet can be heard: cut links and a node that stood still begin it anew."""

import pytest

from edge_node.centre.earshot import Earshot


def looked(*looks: tuple[float, bool]) -> Earshot:
    earshot = Earshot()
    for now_s, connected in looks:
        earshot.look(now_s, connected=connected)
    return earshot


@pytest.mark.parametrize(
    ("looks", "at_s", "heard"),
    [
        ([], 100.0, False),
        ([(float(n), True) for n in range(7)], 6.0, True),
        ([(float(n), True) for n in range(5)], 4.0, False),
        ([(float(n), n != 4) for n in range(9)], 8.0, False),
        ([*((float(n), True) for n in range(7)), (60.0, True)], 60.0, False),
        ([(float(n), True) for n in range(7)], 60.0, False),
    ],
    ids=["never", "long", "short", "cut", "stood still", "stands still"],
)
def test_only_an_unbroken_time_counts(
    looks: list[tuple[float, bool]], at_s: float, heard: bool
) -> None:
    assert looked(*looks).for_at_least(5.0, at_s) is heard
