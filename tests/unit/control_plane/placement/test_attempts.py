import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.placement import Decision, decide
from control_plane.placement.attempts import Ask, Attempts, GivenUp, Limits, Seated, verdict
from shared.errors import NoRoom, NotAllowed
from shared.exchange import Reserved
from tests.support.fleets import ask, policy, report, view


def decision(nodes: int = 6, **changes: object) -> Decision:
    seen = view(*(report(f"n{number}", **changes) for number in range(nodes)))
    return decide(seen, ask(), policy())


def says(node: str, code: str | None = None) -> Reserved:
    return Reserved(code is None, node, "b1", 10.0, code)


@given(
    st.lists(st.sampled_from(["node_full", "node_draining", "silent", "granted", "nonsense"])),
    st.lists(st.floats(0.0, 0.6), min_size=10, max_size=10),
)
def test_it_ends_within_its_limits_whatever_nodes_answer(
    answers: list[str], took_s: list[float]
) -> None:
    """Nobody is asked twice, nobody but candidates, and no longer than the limits."""
    made, limits = decision(), Limits()
    attempts, now_s, asked = Attempts(made, 100.0, limits), 100.0, []
    for answer, passed_s in zip([*answers, *["silent"] * 10], took_s, strict=False):
        step = attempts.step
        if not isinstance(step, Ask):
            break
        assert step.limit_s <= min(limits.answer_s, 100.0 + limits.overall_s - now_s + 1e-9)
        asked.append(step.candidate)
        now_s += min(passed_s, step.limit_s)
        node = step.candidate.node
        said = {"silent": None, "granted": says(node), "nonsense": says("somebody-else")}
        attempts.answered(said.get(answer, says(node, answer)), now_s)
    assert not isinstance(attempts.step, Ask)
    assert tuple(asked) == made.candidates[: len(asked)]
    assert len(asked) <= limits.attempts
    assert now_s <= 100.0 + limits.overall_s
    assert isinstance(attempts.step, Seated) == any("granted" in told for told in attempts.story)
    assert len(attempts.story) == len(asked)


def test_the_story_says_who_answered_what() -> None:
    attempts = Attempts(decision(), 0.0)
    for answer in (says("n0", "node_full"), None, says("n7"), says("n3")):
        assert isinstance(attempts.step, Ask)
        attempts.answered(answer, 0.0)
    assert attempts.story == ("n0: node_full", "n1: silent", "n2: nonsense", "n3: granted")
    assert isinstance(attempts.step, Seated)
    assert attempts.step.candidate.node == "n3"
    assert [one.node for one in attempts.unsure] == ["n1", "n2"]


def test_after_four_refusals_the_caller_is_told() -> None:
    attempts = Attempts(decision(), 0.0)
    for number in range(4):
        attempts.answered(says(f"n{number}", "node_full"), 0.0)
    assert isinstance(attempts.step, GivenUp)
    assert isinstance(attempts.step.error, NoRoom)
    assert "n3: node_full" in attempts.step.error.message
    assert attempts.step.error.decision == "d1"


def test_a_decision_that_placed_nobody_asks_nobody() -> None:
    full = Attempts(decision(fits=0), 0.0).step
    assert isinstance(full, GivenUp)
    assert isinstance(full.error, NoRoom)
    lacking = Attempts(decision(languages=("hi",)), 0.0).step
    assert isinstance(lacking, GivenUp)
    assert isinstance(lacking.error, NotAllowed)


def test_nobody_is_asked_once_the_time_is_over() -> None:
    attempts = Attempts(decision(), 0.0)
    step = attempts.answered(None, 1.9)
    assert isinstance(step, Ask)
    assert step.limit_s == pytest.approx(0.1)
    assert isinstance(attempts.answered(None, 2.0), GivenUp)


def test_an_answer_that_nobody_waits_for_is_a_mistake_of_ours() -> None:
    attempts = Attempts(decision(), 0.0)
    attempts.answered(says("n0"), 0.0)
    with pytest.raises(ValueError, match="Seated"):
        attempts.answered(says("n1"), 0.1)


def test_verdicts() -> None:
    candidate = decision().candidates[0]
    told = [says("n0"), says("n0", "node_full"), None, says("other")]
    assert [verdict(candidate, answer) for answer in told] == [
        "granted", "refused", "silent", "silent",
    ]  # fmt: skip
