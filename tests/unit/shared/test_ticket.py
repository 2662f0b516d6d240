"""A ticket is good for one node, one boot of it, for a while, from one issuer."""

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import TicketRefused
from shared.ticket import LEEWAY_S, Ticket, sign_ticket, verify_ticket

KEY = Ed25519PrivateKey.generate()
NOW_S = 1_800_000_000.0
TICKET = Ticket(
    session="s-1",
    reservation="r-1",
    node="edge-1",
    boot="b-1",
    kind="recognition",
    language="en",
    model=None,
    policy="eu-only",
    policy_version="v1",
    tenant="t-1",
    decision="d-1",
    iat=int(NOW_S),
    exp=int(NOW_S) + 30,
)


def verified(
    token: str, *, node: str = "edge-1", boot: str = "b-1", now_s: float = NOW_S
) -> Ticket:
    return verify_ticket(token, KEY.public_key(), node=node, boot=boot, now_s=now_s)


def refusal(token: str, **where: object) -> TicketRefused:
    with pytest.raises(TicketRefused) as refused:
        verified(token, **where)  # type: ignore[arg-type]
    return refused.value


def test_a_ticket_comes_out_as_it_was_signed() -> None:
    assert verified(sign_ticket(TICKET, KEY)) == TICKET


@pytest.mark.parametrize(
    ("where", "field"),
    [({"node": "edge-2"}, "node"), ({"boot": "b-2"}, "boot")],
)
def test_it_is_for_one_start_of_one_node(where: dict[str, str], field: str) -> None:
    error = refusal(sign_ticket(TICKET, KEY), **where)
    assert (error.field, error.code, error.retryable) == (field, "ticket_refused", False)


@pytest.mark.parametrize("late_s", [-LEEWAY_S - 1, 30 + LEEWAY_S + 1])
def test_clocks_may_be_apart_by_the_leeway_and_no_more(late_s: float) -> None:
    token = sign_ticket(TICKET, KEY)
    assert refusal(token, now_s=NOW_S + late_s).field in {"iat", "exp"}
    towards = 1 if late_s < 0 else -1
    assert verified(token, now_s=NOW_S + late_s + 2 * towards) == TICKET


def test_another_issuer_is_nobody() -> None:
    assert refusal(sign_ticket(TICKET, Ed25519PrivateKey.generate())).field == "ticket"
    assert refusal(sign_ticket(msgspec.structs.replace(TICKET, iss="somebody"), KEY)).value is None


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_no_other_algorithm_is_believed(algorithm: str) -> None:
    """Neither unsigned, nor signed with the public key as if it were a shared secret."""
    secret = "" if algorithm == "none" else "x" * 32
    token = jwt.encode(msgspec.to_builtins(TICKET), secret, algorithm=algorithm)
    assert refusal(token).field == "ticket"


@pytest.mark.parametrize("missing", ["session", "reservation", "node", "exp", "iss"])
def test_a_claim_that_is_missing_is_refused(missing: str) -> None:
    claims = msgspec.to_builtins(TICKET)
    del claims[missing]
    assert refusal(jwt.encode(claims, KEY, algorithm="EdDSA")).field == "ticket"


@given(at=st.integers(0, 10_000), other=st.characters(min_codepoint=33, max_codepoint=126))
def test_no_character_of_it_can_be_changed(at: int, other: str) -> None:
    """A changed last character may leave the signature's bytes as they are: base64's spare bits."""
    token = sign_ticket(TICKET, KEY)
    at %= len(token) - 1
    changed = token[:at] + other + token[at + 1 :]
    if changed != token:
        refusal(changed)


@given(token=st.text(max_size=200))
def test_whatever_is_shown_is_a_value_or_a_refusal(token: str) -> None:
    refusal(token)
