import dataclasses

import pytest

from control_plane.placement import decide, refusal
from shared.errors import NoRoom, NotAllowed
from tests.support.fleets import ask, policy, report, view


def test_a_refusal_says_how_many_nodes_were_in_which_state() -> None:
    seen = view(
        report("a", fits=0), report("b", fits=0), report("c", draining=True),
        report("d", "ap-south"), report("e", languages=("hi",)),
    )  # fmt: skip
    error = refusal(decide(seen, ask(), policy()))
    assert isinstance(error, NoRoom)
    assert (error.retryable, error.decision, error.value) == (True, "d1", "eu-only")
    assert "of 3 nodes that may: 1 draining, 2 full" in error.message


def test_a_policy_that_calls_back_says_so_to_whoever_asks() -> None:
    seen, calls_back = view(report("a", fits=0)), policy()
    assert "try again later" in (refusal(decide(seen, ask(), calls_back)).remedy or "")
    calls_back = dataclasses.replace(calls_back, when_full="call_back")
    error = refusal(decide(seen, ask(), calls_back))
    assert isinstance(error, NoRoom)
    assert "call the caller back" in (error.remedy or "")


def test_what_is_not_offered_is_refused_for_good() -> None:
    seen = view(report("a"), report("b", languages=("hi",)), report("c", "ap-south"))
    error = refusal(decide(seen, ask(model="huge"), policy()))
    assert isinstance(error, NotAllowed)
    assert not error.retryable
    assert "recognition in en by huge" in error.message
    assert "eu-central, eu-west: 1 no_language, 1 no_model" in error.message


def test_a_young_fleet_and_an_empty_one() -> None:
    assert "have yet to report" in refusal(decide(view(now_s=1.0), ask(), policy())).message
    assert "no nodes there" in refusal(decide(view(), ask(), policy())).message


def test_there_is_no_refusal_where_somebody_was_placed() -> None:
    with pytest.raises(ValueError, match="placed"):
        refusal(decide(view(report()), ask(), policy()))


def test_rules_that_leave_no_region_are_named_also_while_the_fleet_is_young() -> None:
    nowhere = dataclasses.replace(
        policy(), allowed=frozenset(), overflow=frozenset(), rules=("health", "bank")
    )
    for now_s in (1.0, 10.0):
        error = refusal(decide(view(report("a"), now_s=now_s), ask(), nowhere))
        assert isinstance(error, NotAllowed)
        assert "policy eu-only and health, bank together leave this session no region" in str(error)
