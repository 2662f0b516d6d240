"""Every code of the control plane can be said in words."""

from control_plane.placement.codes import CODES
from control_plane.placement.reasons import Reason
from heliovox.local.reasons import REASONS, by_reason, in_short, in_words
from heliovox.protocol.control import DecisionView, Loser


def test_every_code_has_words_and_no_other() -> None:
    real = {reason.code for reason in Reason if reason is not Reason.ABLE} | set(CODES)
    assert set(REASONS) == real


def test_an_unknown_code_stands_for_itself() -> None:
    assert in_words("of_tomorrow") == "of_tomorrow"


def test_a_decision_in_one_line_names_every_other_region_by_its_reason() -> None:
    view = DecisionView(
        id="d", at_ms=0, control_plane="c", view=1, kind="recognition", language="en", model=None,
        policy="eu-only", policy_version="v", tenant="t", place=None, place_source="given",
        allowed_regions=(), home_region="a", outcome="placed", node="b-1", region="b",
        reasons=("overflow_home_full",),
        ranking=(Loser("b-1", "b", "winner"), Loser("c-1", "c", "ranked_lower")),
        losers=(Loser("a-1", "a", "full"), Loser("d-1", "d", "not_allowed"),
                Loser("e-1", "e", "not_allowed")),
    )  # fmt: skip
    line = in_short(view)
    assert line.startswith("the home region is full")
    assert line.endswith("(c ranked_lower, a full, d e not_allowed)")
    assert list(by_reason(view.losers)) == ["full", "not_allowed"]
