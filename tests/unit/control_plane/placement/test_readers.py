"""What caller and compliance are told follows from the decision, and is no more than they need."""

import dataclasses

import msgspec
import pytest
from hypothesis import given

from control_plane.placement import decide, explain
from control_plane.placement.codes import CODES
from control_plane.placement.readers import for_caller, for_compliance
from control_plane.placement.reasons import Reason
from heliovox.protocol.control import DecisionView, Why
from tests.support.fleets import ask, policy, report, view
from tests.support.questions import Question, questions


def told(*reports: object, session: str | None = "s1", **wanted: object) -> DecisionView:
    seen = view(*reports)  # type: ignore[arg-type]
    removed = (("ap-south", "eu-only.allow"), ("sa-east", "minors.forbid"))
    rules = dataclasses.replace(policy(), rules=("minors",), removed=removed)
    asked = ask(tenant="t", countries=("fr",), data="health", **wanted)
    return explain(decide(seen, asked, rules), "p", session=session)


def test_a_caller_is_told_where_and_why_and_nothing_of_other_nodes() -> None:
    seen = for_caller(told(report("a"), report("b", "eu-west"), report("c", "ap-south")))
    assert (seen.outcome, seen.advice, seen.node) == ("placed", "connect", "a")
    assert seen.reasons == ("nearest_allowed",)
    said = msgspec.json.encode(seen).decode()
    assert "eu-west.example" not in said
    assert '"b"' not in said
    assert "minors" not in said


@pytest.mark.parametrize(
    ("reports", "wanted", "session", "reasons", "advice"),
    [
        ([report("a", fits=0)], {}, None, ("full",), "try_again"),
        ([report("a")], {}, None, ("no_seat_given",), "try_again"),
        ([report("a")], {"language": "xx"}, None, ("no_language",), "ask_for_what_is_offered"),
        ([report("c", "ap-south")], {}, None, ("no_node_allowed",), "use_another_policy"),
    ],
)
def test_who_is_refused_is_told_what_to_do(
    reports: list[object], wanted: dict[str, object], session: str | None,
    reasons: tuple[str, ...], advice: str,
) -> None:  # fmt: skip
    seen = for_caller(told(*reports, session=session, **wanted))
    assert (seen.outcome, seen.reasons, seen.advice) == ("refused", reasons, advice)
    assert (seen.node, seen.region) == (None, None)


def test_compliance_is_told_the_clause_for_every_region_and_the_facts() -> None:
    seen = for_compliance(told(report("a")))
    assert {one.region: one.clause for one in seen.allowed} == {
        "eu-central": "eu-only.allow", "eu-west": "eu-only.allow",
    }  # fmt: skip
    assert [(one.region, one.clause) for one in seen.removed] == [
        ("ap-south", "eu-only.allow"), ("sa-east", "minors.forbid"),
    ]  # fmt: skip
    assert [one.region for one in seen.allowed if one.home] == ["eu-central"]
    assert (seen.rules, seen.countries, seen.data) == (("minors",), ("fr",), "health")
    assert (seen.region, seen.within_policy) == ("eu-central", True)


def test_a_session_outside_of_its_policy_would_show() -> None:
    forged = msgspec.structs.replace(told(report("a")), region="ap-south")
    assert not for_compliance(forged).within_policy


@given(questions())
def test_every_form_can_be_sent_and_read_and_says_known_codes_alone(question: Question) -> None:
    decision = decide(question.view, question.ask, question.policy)
    seen = explain(decision, session="s" if decision.winner else None)
    known = set(CODES) | {reason.code for reason in Reason}
    for form in (seen, for_caller(seen), for_compliance(seen)):
        assert msgspec.json.decode(msgspec.json.encode(form), type=Why) == form
    assert set(for_caller(seen).reasons) <= known
    assert for_compliance(seen).within_policy
