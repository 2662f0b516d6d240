"""Recovery tokens: good once, and never lost on the way."""

from hypothesis import given
from hypothesis import strategies as st

from edge_node.recovery.tokens import Mark, Tokens, known_by, make_token

SECRETS = [bytes([n]) * 32 for n in range(8)]


def test_a_token_can_travel_anywhere_and_is_known_by_its_hash_alone() -> None:
    token = make_token(bytes(range(32)))
    assert len(token) == 43
    assert token.replace("-", "").replace("_", "").isalnum()
    assert token not in known_by(token)
    assert len(known_by(token)) == 64


def test_the_first_token_is_the_callers_at_once() -> None:
    tokens = Tokens()
    assert tokens.give("a") == Mark(1, known_by("a")) == tokens.shown


@given(steps=st.lists(st.sampled_from(["give", "came"]), max_size=20))
def test_a_token_is_used_up_once_the_next_one_has_come_and_no_sooner(steps: list[str]) -> None:
    """Whatever the network does, the caller has one that is good."""
    tokens, has, given = Tokens(), "0", 0
    tokens.give(has)
    for step in steps:
        if step == "give":
            given += 1
            newest = str(given)
            tokens.give(newest)
        elif given:
            has = newest
            tokens.came()
        assert tokens.good(known_by(has))
    good = [str(one) for one in range(given + 1) if tokens.good(known_by(str(one)))]
    assert set(good) == {has, str(given)}
    assert tokens.latest.number - tokens.shown.number == len(good) - 1


def test_numbers_go_on_from_another_nodes() -> None:
    tokens = Tokens(Mark(4, known_by("theirs")))
    assert tokens.good(known_by("theirs"))
    assert tokens.give("ours").number == 5
    assert tokens.shown.number == 4


def test_nothing_is_known_by_nothing() -> None:
    assert not Tokens().good("")
    assert not Tokens().good(known_by(""))
