"""What may happen while a line waits, played through many times at once. Pure: draws are given.

Each run has hazards of its own, drawn from what is believed of them. Sessions end, whoever is next
takes the seat and his session begins; some leave before; others come, and pass where their tenant
is less behind. When each of those who wait now would be served is what comes out.
"""

from collections.abc import Sequence

import numpy as np

from control_plane.waiting.ends import F64, RUNS, Ends, Seats
from control_plane.waiting.lineup import LineUp, Others, Tenant

_SPARE = 64
"""Turns of those who come, beside one for each who waits."""


def play(
    seats: Seats, tenants: Sequence[Tenant], others: Others, draw: np.random.Generator
) -> dict[int, F64]:
    """When each of those who wait would be served, were he to wait for it: a time for each run.

    Who would have left before is passed over at his turn, and the seat goes to the next.

    Args:
        seats: that may become free.
        tenants: all who wait for them, and who have come lately.
        others: how many come and leave.
        draw: makes it chance.
    """
    ends, line = Ends(seats, draw), LineUp(tenants, others, draw)
    runs = np.arange(RUNS)
    times_s = np.full((RUNS, len(tenants), line.longest + 1), np.inf)
    for _ in range(2 * int(line.lengths.sum()) + _SPARE):
        if line.over:
            break
        at_s, seat = ends.next()
        who = line.turn(at_s)
        slot = np.where(who.known, who.place, line.longest)
        times_s[runs, who.tenant, slot] = at_s
        ends.taken(seat, line.serve(who, at_s), at_s)
    return {
        number: times_s[:, at, place]
        for at, one in enumerate(tenants)
        for place, number in enumerate(one.numbers)
    }
