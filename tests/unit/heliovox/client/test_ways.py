"""Which way back to a session is tried next, and when there is none left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliovox.client.errors import CannotConnect, ClientError, NodeMisbehaved, Refused, TimedOut
from heliovox.client.ways import (
    LEAST_S,
    MAX_WITHOUT,
    MOST_S,
    PATIENCE,
    Way,
    Ways,
    backoff_s,
    is_loss,
)
from heliovox.protocol.messages import Error

HERE, ELSEWHERE, SENT = Way.HERE, Way.ELSEWHERE, Way.SENT
GONE = CannotConnect("u", "nobody")


def refused(code: str, *, retryable: bool = False) -> Refused:
    return Refused.of(Error(code, "no", retryable=retryable))


@given(failures=st.integers(0, 10_000), chance=st.floats(0, 1))
def test_attempts_are_spread_over_a_time_that_grows_to_its_bound(
    failures: int, chance: float
) -> None:
    wait_s = backoff_s(failures, chance)
    assert 0 <= wait_s <= min(MOST_S, LEAST_S * 2 ** min(failures - 1, 100)) or failures == 0
    assert backoff_s(0, chance) == 0
    assert backoff_s(failures + 1, 1.0) >= backoff_s(failures, 1.0)


@pytest.mark.parametrize("code", [None, 1000, 1001, 1006, 1008, 1011, 1012, 4307])
def test_a_connection_that_ends_so_was_lost(code: int | None) -> None:
    assert is_loss(code)


@pytest.mark.parametrize("code", [1002, 1007, 1009, 4401, 4403, 4404, 4409])
def test_a_session_that_ends_so_is_over(code: int) -> None:
    assert not is_loss(code)


def test_the_ways_are_taken_in_turn() -> None:
    ways = Ways([SENT, HERE, ELSEWHERE])
    taken = []
    for _ in range(6):
        taken.append(way := ways.next())
        assert ways.failed(way, GONE, "n") is None
    assert taken == [SENT, HERE, ELSEWHERE, HERE, ELSEWHERE, HERE]
    assert ways.attempts == 6
    assert "3 times at the same node (at last: cannot connect to u: nobody)" in ways.tried()


@pytest.mark.parametrize(
    "error",
    [
        refused("node_full", retryable=True),
        refused("no_room", retryable=True),
        refused("ticket_refused"),
        TimedOut("it", 2.0),
    ],
)
def test_what_may_be_otherwise_later_is_tried_again(error: ClientError) -> None:
    ways = Ways([HERE])
    for _ in range(50):
        assert ways.failed(ways.next(), error) is None


@pytest.mark.parametrize("code", ["forbidden", "unauthorised", "policy_not_in_effect"])
def test_what_a_control_plane_forbids_is_forbidden_everywhere(code: str) -> None:
    error = refused(code)
    assert Ways([HERE, ELSEWHERE]).failed(ELSEWHERE, error) is error
    assert Ways([HERE, ELSEWHERE]).failed(HERE, error) is None, "a node speaks for itself"
    assert Ways([HERE]).failed(HERE, error) is error


def test_a_token_is_not_shown_for_ever() -> None:
    """A node that was started anew knows nobody; a control plane may hear of a token later."""
    ways, error = Ways([HERE, ELSEWHERE]), refused("resume_refused")
    over = [ways.failed(ways.next(), error) for _ in range(2 * PATIENCE)]
    assert over == [None] * (2 * PATIENCE - 1) + [error]


def test_who_has_the_session_elsewhere_is_not_disturbed() -> None:
    error = refused("superseded")
    assert Ways([HERE, ELSEWHERE]).failed(HERE, error) is error


def test_a_node_that_breaks_the_protocol_is_not_asked_again() -> None:
    ways, error = Ways([HERE, ELSEWHERE]), NodeMisbehaved("x")
    assert ways.failed(HERE, error) is None
    assert ways.next() is ways.next() is ELSEWHERE


def test_nodes_that_failed_are_left_out_until_there_are_no_others() -> None:
    ways = Ways([HERE, ELSEWHERE], ("a",))
    ways.failed(ELSEWHERE, GONE, "b")
    ways.failed(ELSEWHERE, GONE, "b")
    assert ways.without == ("a", "b")
    assert ways.failed(ELSEWHERE, refused("not_allowed")) is None
    assert ways.without == ()
    error = refused("not_allowed")
    assert ways.failed(ELSEWHERE, error) is error, "with nobody left out it is meant so"
    for number in range(40):
        ways.failed(HERE, GONE, f"n-{number}")
    assert len(ways.without) == MAX_WITHOUT
