"""Seats held and promised never exceed what fits, and each has a session or a reservation."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge_node.capacity.admission import LONGEST_RESERVATION_S, Admission
from shared.errors import InvalidMessage, NodeDraining, NodeFull, TicketRefused
from shared.exchange import Reserve

KINDS = ("recognition", "synthesis", "conversation")
CAPACITY = {"recognition": 6, "synthesis": 3, "conversation": 2}


def ask(name: str, kind: str = "recognition", ttl_s: float = 10.0) -> Reserve:
    return Reserve(name, f"s-{name}", kind, "en", None, "p", "v", "t", ttl_s)


class Seats(RuleBasedStateMachine):
    """Whatever callers, centre and time do, the books agree with a second set of books."""

    def __init__(self) -> None:
        super().__init__()
        self.changes = 0
        self.admission = Admission("here", 5, self.changed)
        self.admission.measured(CAPACITY)
        self.now_s, self.names = 0.0, 0
        self.live: Counter[str] = Counter()
        self.promised: dict[str, tuple[str, float]] = {}
        self.over: list[str] = []

    def changed(self) -> None:
        self.changes += 1

    @rule(kind=st.sampled_from(KINDS))
    def a_caller_comes(self, kind: str) -> None:
        room = self.admission.fits(kind)
        try:
            self.admission.take(kind)
        except NodeFull as full:
            assert room == 0
            self.numbers_are_true(full)
        except NodeDraining:
            assert self.admission.draining
        else:
            assert room > 0
            self.live[kind] += 1

    def numbers_are_true(self, full: NodeFull) -> None:
        assert full.streams == self.live.total() + len(self.promised) >= full.limit

    @rule(kind=st.sampled_from(KINDS))
    def a_caller_leaves(self, kind: str) -> None:
        if self.live[kind]:
            self.admission.leave(kind)
            self.live[kind] -= 1
        else:
            with pytest.raises(ValueError, match="nobody held"):
                self.admission.leave(kind)

    @rule(kind=st.sampled_from(KINDS), ttl_s=st.floats(0.5, 5))
    def the_centre_reserves(self, kind: str, ttl_s: float) -> None:
        self.names += 1
        name = str(self.names)
        try:
            granted_s = self.admission.reserve(ask(name, kind, ttl_s), self.now_s)
        except (NodeFull, NodeDraining):
            return
        assert granted_s == ttl_s
        self.promised[name] = (kind, self.now_s + ttl_s)

    @precondition(lambda self: self.promised)
    @rule(data=st.data())
    def a_ticket_comes_and_comes_again(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.promised)))
        assert self.admission.redeem(name, self.now_s).reservation == name
        kind, _ = self.promised.pop(name)
        self.live[kind] += 1
        self.over.append(name)

    @precondition(lambda self: self.promised)
    @rule(data=st.data())
    def the_centre_gives_back(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.promised)))
        assert self.admission.release(name)
        assert not self.admission.release(name)
        del self.promised[name]
        self.over.append(name)

    @rule(passes_s=st.floats(0, 4))
    def time_passes(self, passes_s: float) -> None:
        self.now_s += passes_s
        self.admission.expire(self.now_s)
        late = [name for name, (_, until_s) in self.promised.items() if until_s <= self.now_s]
        for name in late:
            del self.promised[name]
        self.over += late

    @rule(yes=st.booleans())
    def the_node_drains(self, yes: bool) -> None:
        self.admission.draining = yes

    @precondition(lambda self: self.over)
    @rule(data=st.data())
    def what_is_over_stays_over(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.over))
        with pytest.raises(TicketRefused):
            self.admission.redeem(name, self.now_s)
        with pytest.raises(InvalidMessage):
            self.admission.reserve(ask(name), self.now_s)

    @invariant()
    def the_books_agree(self) -> None:
        admission = self.admission
        assert +admission.held == +self.live
        assert admission.reserved == len(self.promised)
        assert admission.taken + admission.reserved <= admission.limit
        shares = Counter(kind for kind, _ in self.promised.values()) + self.live
        assert sum(count / CAPACITY[kind] for kind, count in shares.items()) <= 1 + 1e-5


TestSeats = Seats.TestCase


@given(limit=st.integers(0, 5), burst=st.integers(0, 20))
def test_a_burst_gets_exactly_what_there_is(limit: int, burst: int) -> None:
    admission, granted = Admission("here", limit), 0
    for number in range(burst):
        if admission.fits("recognition"):
            admission.reserve(ask(str(number)), 0.0)
            granted += 1
        else:
            with pytest.raises(NodeFull, match=f"{limit} of {limit}"):
                admission.reserve(ask(str(number)), 0.0)
    assert granted == min(limit, burst)


def test_asked_twice_a_promise_is_one_promise() -> None:
    admission = Admission("here", 2)
    assert admission.reserve(ask("r", ttl_s=10), 0.0) == 10
    assert admission.reserve(ask("r", ttl_s=10), 4.0) == 6
    assert admission.reserved == 1


def test_nobody_holds_a_seat_for_longer_than_is_decent() -> None:
    admission = Admission("here", 1)
    assert admission.reserve(ask("r", ttl_s=1e9), 0.0) == LONGEST_RESERVATION_S


def test_a_draining_node_takes_nobody_but_keeps_what_it_promised() -> None:
    admission = Admission("here", 5)
    admission.reserve(ask("r"), 0.0)
    admission.draining = True
    with pytest.raises(NodeDraining):
        admission.take()
    with pytest.raises(NodeDraining):
        admission.reserve(ask("late"), 0.0)
    admission.redeem("r", 1.0)
    assert admission.taken == 1


def test_every_change_is_told_once() -> None:
    told: list[int] = []
    admission = Admission("here", 2, lambda: told.append(1))
    admission.take()
    admission.leave()
    admission.reserve(ask("r", ttl_s=1), 0.0)
    admission.expire(0.5)
    admission.expire(1.0)
    admission.draining = True
    admission.draining = True
    assert len(told) == 5


def test_the_word_that_nobody_will_come_may_arrive_before_the_request() -> None:
    """Whoever waited too long for an answer takes it back; the request may still be on its way."""
    admission = Admission("here", 1)
    assert not admission.release("r")
    with pytest.raises(InvalidMessage):
        admission.reserve(ask("r"), 0.0)
    assert admission.reserved == 0
