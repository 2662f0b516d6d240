"""Which sessions the centre knows of a time, from whatever it heard in whatever order."""

from itertools import permutations
from typing import Any

import msgspec
import pytest

from control_plane.ledger.sessions import sessions_of
from control_plane.ledger.statement import Span
from heliovox.protocol.control import DecisionView
from shared.exchange import SessionNote

DECISION: dict[str, Any] = {
    "reader": "operator", "id": "d-1", "at_ms": 10, "control_plane": "p-1", "view": 1,
    "kind": "recognition", "language": "en", "model": None, "policy": "eu-only",
    "policy_version": "v1", "tenant": "bank", "place": None, "place_source": "given",
    "allowed_regions": ["a"], "home_region": "a", "outcome": "placed", "node": "n-1",
    "region": "a", "reasons": [], "ranking": [], "losers": [], "session": "s1",
}  # fmt: skip
NOTE: dict[str, Any] = {
    "id": "1", "event": "started", "session": "s1", "node": "n-1", "region": "a", "boot": "b1",
    "kind": "recognition", "language": "en", "model": None, "tenant": "bank",
    "policy": "eu-only", "policy_version": "v1", "decision": "d-1", "admitted_by": "ticket",
    "at_ms": 20,
}  # fmt: skip


def decision(**other: Any) -> DecisionView:
    return msgspec.convert(DECISION | other, DecisionView)


def note(**other: Any) -> SessionNote:
    return msgspec.convert(NOTE | other, SessionNote)


def test_a_seat_that_nobody_took_is_placed() -> None:
    [line] = sessions_of(Span(0, 99), [decision()], [])
    assert (line.state, line.session, line.node, line.decision) == ("placed", "s1", "n-1", "d-1")


def test_who_was_refused_is_no_session() -> None:
    assert sessions_of(Span(0, 99), [decision(node=None, session=None)], []) == []


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_notes_may_come_in_any_order(order: tuple[int, ...]) -> None:
    notes = [
        note(),
        note(id="2", event="usage", at_ms=30, audio_ms=500),
        note(id="3", event="ended", at_ms=40, audio_ms=900, reason="finish"),
    ]
    [line] = sessions_of(Span(0, 99), [decision()], [notes[at] for at in order])
    assert (line.state, line.audio_ms, line.ended_ms) == ("ended", 900, 40)
    assert line.at_ms == 20


def test_a_session_on_two_nodes_has_two_lines() -> None:
    lines = sessions_of(Span(0, 99), [], [note(), note(id="2", node="n-2", at_ms=30)])
    assert [line.node for line in lines] == ["n-1", "n-2"]


def test_a_session_that_comes_back_to_a_node_has_a_line_for_each_stay() -> None:
    """What it came to at the end is no total of its first stay."""
    notes = [
        note(),
        note(id="2", event="paused", at_ms=25, audio_ms=300),
        note(id="3", event="resumed", node="n-2", at_ms=30, decision="d-2", from_sample=4000),
        note(id="4", event="resumed", at_ms=40, decision="d-3", from_sample=8000),
        note(id="5", event="ended", at_ms=50, audio_ms=900, decision="d-3"),
    ]
    lines = sessions_of(Span(0, 99), [], notes)
    assert [(line.node, line.state, line.audio_ms) for line in lines] == [
        ("n-1", "live", 300), ("n-2", "live", 0), ("n-1", "ended", 900),
    ]  # fmt: skip


def test_only_what_began_in_the_time_is_of_it() -> None:
    notes = [note(session=f"s{at}", at_ms=at) for at in (9, 10, 19, 20)]
    found = sessions_of(Span(10, 20), [], notes)
    assert [line.session for line in found] == ["s10", "s19"]
