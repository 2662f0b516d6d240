"""Who waits, with which seat, and how long."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from edge_node.recovery.parking import Parking, ParkingRules
from edge_node.sessions.kept import Kept, kept_elsewhere
from edge_node.sessions.opening import Offer, open_as_asked
from edge_node.sessions.states import Seat, SeatEvent
from heliovox.protocol.messages import Ended, Resume, Start

RULES = ParkingRules(expires_s=10.0, park_after_s=2.0, most=3)
OPENING = open_as_asked(Start(), Offer("here", ("en",), ("ears",), (), 320, 200))


def waiting(name: str, *events: SeatEvent) -> Kept:
    kept = kept_elsewhere(name, OPENING, Resume("t"))
    for event in (SeatEvent.GRANTED, *events):
        kept.seat.take(event)
    return kept


def test_a_seat_is_kept_for_a_while_and_the_session_for_longer() -> None:
    parking, kept = Parking(RULES), waiting("a")
    assert parking.put(kept, 100.0) == ()
    assert parking.due(101.9).park == ()
    assert parking.due(102.0).park == ("a",)
    assert kept.seat.state is Seat.PARKED
    assert parking.due(103.0) == parking.due(109.9), "given back once"
    assert parking.due(110.0).end == ("a",)
    assert parking.gone("a") is not None
    assert kept.seat.state is Seat.NONE
    assert len(parking) == 0


def test_each_waits_as_long_as_it_may() -> None:
    parking = Parking(RULES)
    for name, expires_s in (("a", 300.0), ("b", None), ("c", 5.0)):
        parking.put(waiting(name), 0.0, expires_s)
    assert [parking.due(now_s).end for now_s in (5.0, 10.0)] == [("c",), ("b", "c")]
    assert parking.due(300.0).end == ("a", "b", "c")


def test_who_is_back_holds_his_seat_again() -> None:
    parking = Parking(RULES)
    for name, events in (("a", ()), ("b", (SeatEvent.HAND_OVER,))):
        kept = waiting(name, *events)
        parking.put(kept, 0.0)
        assert parking.take(name).kept is kept
        assert kept.seat.state is Seat.HELD
        parking.put(kept, 10.0)
        parking.due(12.0)
        assert kept.seat.state is Seat.PARKED
        parking.take(name)
        assert kept.seat.state is Seat.HELD


def test_what_goes_on_elsewhere_is_handed_over_from_wherever_it_was() -> None:
    for events in ((), (SeatEvent.PARK,), (SeatEvent.HAND_OVER,)):
        parking, kept = Parking(RULES), waiting("a", *events)
        parking.put(kept, 0.0)
        assert parking.handed_over("a") is not None
        assert (kept.seat.state, len(parking)) == (Seat.NONE, 0)
    assert Parking(RULES).handed_over("nobody") is None


def test_sessions_that_are_over_make_room_for_those_that_are_not() -> None:
    parking, ended = Parking(RULES), Ended("b", "finish", 1, 100)
    parking.put(waiting("a"), 0.0)
    parking.put(replace(waiting("b"), farewell=ended), 1.0)
    parking.put(waiting("c"), 2.0)
    assert parking.put(waiting("d"), 3.0) == ("b",)
    parking.gone("b")
    assert parking.put(waiting("e"), 4.0) == ("a",)


@given(
    moves=st.lists(
        st.tuples(st.sampled_from("abcdef"), st.sampled_from(["put", "take", "tick"])), max_size=40
    ),
    pace_s=st.sampled_from([0.5, 3.0]),
)
def test_nobody_waits_for_ever_and_never_are_there_too_many(
    moves: list[tuple[str, str]], pace_s: float
) -> None:
    parking, now_s, since_s = Parking(RULES), 0.0, dict[str, float]()
    for name, move in moves:
        now_s += pace_s
        if move == "put" and name not in parking:
            since_s[name] = now_s
            for crowded_out in parking.put(waiting(name), now_s):
                assert since_s[crowded_out] == min(since_s[one] for one in since_s)
                parking.gone(crowded_out)
                del since_s[crowded_out]
        elif move == "take" and name in parking:
            assert parking.take(name).since_s == since_s.pop(name)
        else:
            for over in parking.due(now_s).end:
                assert now_s - since_s.pop(over) >= RULES.expires_s
                parking.gone(over)
        assert len(parking) <= RULES.most
        assert {one for one in "abcdef" if one in parking} == set(since_s)
