import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from control_plane.fleet.atlas import Atlas
from control_plane.fleet.columns import entry_of
from control_plane.fleet.loads import open_of, regions_load
from control_plane.fleet.roster import make_roster
from shared.capacity import CapacityReport
from tests.support.fleets import reports_in, world


@given(reports_in(world()), st.data())
def test_the_load_of_a_region_is_the_taken_share_of_its_open_nodes_seats(
    reports: list[CapacityReport], data: st.DataObject
) -> None:
    roster = make_roster(Atlas(world()), [entry_of(one) for one in reports])
    said = {one.node: one for one in reports}
    nodes = [said[name] for name in roster.names]
    count = len(nodes)
    is_open = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    held = np.array([one.held for one in nodes], np.int32)
    rooms = [[one.kinds[kind].fits for one in nodes] for kind in roster.kinds]
    fits = np.array(rooms, np.int32).reshape(len(roster.kinds), count)
    load = regions_load(roster, open_of(roster, np.array(is_open, np.bool_)), held, fits)
    for row, kind in enumerate(roster.kinds):
        for at, region in enumerate(roster.atlas.names):
            there = [
                one
                for one, well in zip(nodes, is_open, strict=True)
                if well and one.region == region
            ]
            taken = sum(one.held for one in there)
            seats = taken + sum(one.kinds[kind].fits for one in there)
            assert load[row, at] == (taken / seats if seats else 1.0)
