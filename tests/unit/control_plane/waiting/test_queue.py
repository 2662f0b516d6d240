from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.waiting.queue import FairQueue, Line

WEIGHTS = {"a": 1, "b": 3, "c": 100}
EU = Line(frozenset({"paris", "berlin"}), "recognition")
PARIS = Line(frozenset({"paris"}), "recognition")
US = Line(frozenset({"ohio"}), "recognition")
LINES = (EU, PARIS, US, Line(EU.regions, "synthesis"))


def only(region: str) -> Callable[[Line], frozenset[str]]:
    return lambda line: line.regions & {region}


def queue() -> FairQueue:
    return FairQueue(lambda tenant: WEIGHTS.get(tenant, 1))


def served(line: FairQueue, region: str, seats: int) -> list[str]:
    """Seats that become free in a region, one at a time."""
    got = []
    for _ in range(seats):
        heads = [one for one in line.heads(only(region)) if region in one.line.regions]
        if not heads:
            break
        line.serve(heads[0].number, region)
        got.append(heads[0].tenant)
    return got


JOINS = st.lists(
    st.tuples(st.sampled_from(("a", "b", "c", "d")), st.sampled_from(LINES)), max_size=30
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.sampled_from("abcd"), st.sampled_from(LINES)),
        st.tuples(st.just("seat"), st.sampled_from(("paris", "berlin", "ohio"))),
        st.tuples(st.just("leave"), st.integers(0, 30)),
        st.tuples(st.just("other"), st.sampled_from("abcd"), st.sampled_from(("paris", "ohio"))),
    ),
    max_size=60,
)


@given(steps=STEPS)
def test_nobody_is_passed_by_a_later_one_of_his_tenant_in_his_line(
    steps: list[tuple[object, ...]],
) -> None:
    """And whoever is served may be there, once; what was counted is counted."""
    line, waiting = queue(), dict[int, tuple[str, Line]]()
    for step in steps:
        match step:
            case ("join", str(tenant), Line() as where):
                waiting[line.join(tenant, where).number] = (tenant, where)
            case ("seat", str(region)):
                heads = line.heads(only(region))
                head = next((one for one in heads if region in one.line.regions), None)
                able = [n for n, (_, where) in waiting.items() if region in where.regions]
                assert (head is None) == (not able)
                if head is not None:
                    mine = [n for n, of in waiting.items() if of == (head.tenant, head.line)]
                    assert head.number == min(mine)
                    line.serve(head.number, region)
                    del waiting[head.number]
            case ("leave", int(number)):
                line.leave(number)
                waiting.pop(number, None)
            case ("other", str(tenant), str(region)):
                line.took(tenant, region)
        assert [one.number for one in line.waiters()] == list(waiting)
        assert set(line.lines()) == {where for _, where in waiting.values()}


@given(
    weights=st.lists(st.integers(1, 100), min_size=2, max_size=5),
    seats=st.integers(1, 400),
)
def test_while_all_wait_each_gets_his_share_within_a_seat(weights: list[int], seats: int) -> None:
    """The bound of start-time fair queueing: two tenants are never more than a seat each apart."""
    of = {f"t{at}": weight for at, weight in enumerate(weights)}
    line = FairQueue(of.__getitem__)
    for tenant in of:
        for _ in range(seats + 1):
            line.join(tenant, PARIS)
    got = Counter(served(line, "paris", seats))
    for one, its in of.items():
        for other, others in of.items():
            assert abs(got[one] / its - got[other] / others) <= 1 / its + 1 / others + 1e-9


def test_a_flood_of_one_tenant_does_not_keep_another_waiting() -> None:
    line = queue()
    for _ in range(1000):
        line.join("a", PARIS)
    late = line.join("d", PARIS)
    assert line.position(late.number) == 2
    assert served(line, "paris", 2) == ["a", "d"]


def test_a_tenant_who_asks_for_one_at_a_time_does_not_keep_a_flood_waiting_either() -> None:
    """He is forgotten by no region while somebody waits there."""
    line = queue()
    for _ in range(100):
        line.join("a", PARIS)
    got = []
    for _ in range(20):
        line.join("d", PARIS)
        got += served(line, "paris", 1)
    assert got.count("a") == 10


def test_who_comes_back_has_saved_nothing_up() -> None:
    """An hour without waiting is no claim to the next sixty seats."""
    line = queue()
    for _ in range(120):
        line.join("a", PARIS)
    served(line, "paris", 60)
    for _ in range(60):
        line.join("d", PARIS)
    assert Counter(served(line, "paris", 40)) == {"a": 20, "d": 20}


def test_what_a_tenant_had_elsewhere_does_not_count_here() -> None:
    line = queue()
    for _ in range(50):
        line.join("a", US)
    keeper = line.join("b", PARIS)
    served(line, "ohio", 40)
    for tenant in "da":
        for _ in range(10):
            line.join(tenant, PARIS)
    line.leave(keeper.number)
    assert Counter(served(line, "paris", 10)) == {"a": 5, "d": 5}


def test_lines_that_share_a_region_share_its_seats_whatever_they_ask_for() -> None:
    """However many lines a tenant opens, and however wide they are."""
    line = queue()
    for number in range(40):
        line.join("a", Line(EU.regions, f"model {number}"))
    for _ in range(40):
        line.join("d", PARIS)
    assert Counter(served(line, "paris", 40)) == {"a": 20, "d": 20}


def test_a_free_seat_that_suits_one_line_alone_goes_to_it() -> None:
    line = queue()
    first, second = line.join("a", PARIS), line.join("b", US)
    assert line.heads(only("ohio")) == [first, second]
    assert [one.number for one in line.heads()] == [1, 2]


@given(tenants=st.lists(st.sampled_from("abcd"), max_size=30))
def test_positions_are_the_order_in_which_seats_are_given(tenants: list[str]) -> None:
    line = queue()
    for tenant in tenants:
        line.join(tenant, PARIS)
    order = sorted((line.position(one.number), one.number) for one in line.waiters())
    assert [at for at, _ in order] == list(range(1, len(tenants) + 1))
    for _, number in order:
        assert line.position(number) == 1
        assert line.heads()[0].number == number
        line.serve(number, "paris")


@given(joins=JOINS, seats=st.lists(st.sampled_from(("paris", "berlin", "ohio"))))
def test_the_first_in_line_is_whoever_is_next(
    joins: list[tuple[str, Line]], seats: list[str]
) -> None:
    """Wherever seats were given before."""
    line = queue()
    for tenant, where in joins:
        line.join(tenant, where)
    for region in seats:
        served(line, region, 1)
    for head in line.heads():
        alone = all(one == head.line or not one.meets(head.line) for one in line.lines())
        assert not alone or line.position(head.number) == 1


def test_those_in_other_lines_count_where_they_would_take_the_seat() -> None:
    line = queue()
    line.join("a", US)
    line.join("a", EU)
    mine = line.join("b", PARIS)
    assert line.position(mine.number) == 2


def test_seats_that_others_got_past_the_line_count_too() -> None:
    line = queue()
    line.join("a", PARIS)
    line.join("d", PARIS)
    line.took("a", "paris")
    assert line.heads()[0].tenant == "d"


def test_whoever_crowds_the_hall_makes_room_for_who_does_not() -> None:
    line = queue()
    for _ in range(5):
        line.join("a", PARIS)
    assert line.crowder("a") is None
    youngest = line.crowder("d")
    assert youngest is not None
    assert (youngest.tenant, youngest.number) == ("a", 5)
    for _ in range(5):
        line.join("d", PARIS)
    assert line.crowder("d") is None
    assert (line.crowder("b") or youngest).tenant in "ad"


@pytest.mark.parametrize("seats", [9000])
def test_what_is_remembered_is_bounded(seats: int) -> None:
    line = FairQueue(lambda _: 1)
    line.join("keeper", US)
    for number in range(seats):
        line.join(f"t{number}", PARIS)
        served(line, "paris", 1)
    assert len(line.shares) <= 8192
    line.leave(1)
    assert len(line.shares) == 0
