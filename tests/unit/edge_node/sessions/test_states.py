"""The three tables of a session."""

from enum import Enum
from itertools import product

import pytest

from edge_node.sessions.states import (
    LINK_TABLE,
    SEAT_TABLE,
    STREAM_TABLE,
    IllegalEvent,
    Link,
    LinkEvent,
    Machine,
    Seat,
    SeatEvent,
    Stream,
    StreamEvent,
)

TABLES = [
    (Link, LinkEvent, LINK_TABLE),
    (Seat, SeatEvent, SEAT_TABLE),
    (Stream, StreamEvent, STREAM_TABLE),
]


@pytest.mark.parametrize(("states", "events", "table"), TABLES)
def test_a_missing_row_is_refused_and_changes_nothing(
    states: type[Enum], events: type[Enum], table: dict
) -> None:
    for state, event in product(states, events):
        machine = Machine(state, table)
        if (state, event) in table:
            assert machine.take(event) is table[state, event]
        else:
            with pytest.raises(IllegalEvent) as refused:
                machine.take(event)
            assert (refused.value.state, refused.value.event) == (state, event)
            assert machine.state is state


def test_nothing_leaves_an_ended_stream() -> None:
    assert not [row for row in STREAM_TABLE if row[0] is Stream.ENDED]


def test_every_held_seat_can_be_given_back() -> None:
    for seat in Seat:
        assert Machine(seat, SEAT_TABLE).allows(SeatEvent.RELEASED) == (seat is not Seat.NONE)
