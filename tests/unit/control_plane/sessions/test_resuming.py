"""Who may go on with a session, and what a stranger learns."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.orders import Order
from control_plane.sessions.resuming import as_opened, check_request, check_token
from control_plane.sessions.row import GRACE_MS, Row
from control_plane.sessions.table import SessionTable
from heliovox.protocol.control import ResumeRequest, SessionRequest
from shared.errors import InvalidMessage, ResumeRefused
from tests.unit.control_plane.sessions.test_following import said
from tests.unit.control_plane.test_orders import order

TOKEN, NOW_MS = "a token of 32 bytes", 200_000


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def table(**more: object) -> SessionTable:
    known = SessionTable(10)
    fields = {"recovery_sha256": digest(TOKEN), "model": "m", "data": "general"} | more
    known.noted(said("started", 1, 1_000, **fields))
    return known


def refusal(row: Row | None, tenant: str = "t", token: str = TOKEN, now_ms: int = NOW_MS) -> str:
    with pytest.raises(ResumeRefused) as caught:
        check_token(row, tenant, ResumeRequest(token, SessionRequest()), now_ms)
    assert caught.value.remedy
    return f"{caught.value.message} {caught.value.field} {caught.value.value}"


def check(row: Row | None, now_ms: int = NOW_MS) -> Row:
    return check_token(row, "t", ResumeRequest(TOKEN, SessionRequest()), now_ms)


def test_the_latest_token_opens_a_session_that_is_live_paused_or_lost() -> None:
    known = table()
    assert check(known.get("s")).state == "live"
    known.noted(said("paused", 1, 150_000, recovery_sha256=digest(TOKEN)))
    assert check(known.get("s")).state == "paused"
    known = table()
    known.looked_at(60_000, lambda _node, _boot: True)
    assert check(known.get("s"), 61_000).state == "lost"


@given(st.text(max_size=300))
def test_a_stranger_is_told_the_same_whatever_there_is(token: str) -> None:
    """No session, another tenant's, a forged token: he cannot tell one from the other."""
    row = table().get("s")
    told = {refusal(None, token=token), refusal(row, "other"), refusal(row, token=token + "?")}
    assert len(told) == 1
    assert "s" not in told.pop().split()


def test_a_token_that_was_used_opens_nothing() -> None:
    known = table()
    known.noted(said("resumed", 2, 2_000, recovery_sha256=digest("the next")))
    assert refusal(known.get("s")) == refusal(None)


@pytest.mark.parametrize("late_ms", [0, 1])
def test_a_token_is_good_for_its_time_and_no_longer(late_ms: int) -> None:
    known = table()
    known.noted(said("paused", 1, 50_000, recovery_sha256=digest(TOKEN)))
    now_ms = 50_000 + 120_000 + GRACE_MS + late_ms
    if late_ms:
        assert "120 s" in refusal(known.get("s"), now_ms=now_ms)
    else:
        assert check(known.get("s"), now_ms)


def test_a_session_that_is_over_says_so_to_who_had_it() -> None:
    known = table()
    known.noted(said("ended", 1, 9_000, reason="finish", recovery_sha256=digest(TOKEN)))
    assert "finish" in refusal(known.get("s"))


def test_a_session_that_cannot_go_on_has_no_token() -> None:
    known = SessionTable(10)
    known.noted(said("started", 0, 1_000, recovery_sha256=""))
    assert refusal(known.get("s"), token="") == refusal(None)


def test_nobody_leaves_out_more_nodes_than_anybody_tries() -> None:
    asked = ResumeRequest(TOKEN, SessionRequest(), tuple(f"n-{at}" for at in range(17)))
    with pytest.raises(InvalidMessage):
        check_token(table().get("s"), "t", asked, NOW_MS)


def opened(**asked: object) -> tuple[Row, Order]:
    row = table(policy="default", language="en").get("s")
    assert row is not None
    request = as_opened(row, SessionRequest(**asked))  # type: ignore[arg-type]
    fields = {name: getattr(request, name) for name in request.__struct_fields__}
    return row, order(**fields)


def test_what_is_left_out_is_as_the_session_has_it() -> None:
    row, asked = opened(language="en")
    assert (asked.policy.name, asked.model) == ("default", "m")
    check_request(row, asked)


@pytest.mark.parametrize(
    "asked",
    [{"kind": "synthesis"}, {"language": "de"}, {"model": "x"}, {"policy": "claim"},
     {"data": "health"}],
)  # fmt: skip
def test_it_goes_on_as_it_was_opened_or_not_at_all(asked: dict[str, str]) -> None:
    row, other = opened(**asked)
    with pytest.raises(ResumeRefused) as caught:
        check_request(row, other)
    ((field, value),) = asked.items()
    assert (caught.value.field, caught.value.value) == (f"request.{field}", value)
