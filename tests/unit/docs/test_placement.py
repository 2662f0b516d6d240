"""docs/placement.md says what the code says: codes, states, limits."""

import re
from pathlib import Path

from control_plane.fleet import State
from control_plane.placement import Reason
from control_plane.placement.attempts import Limits
from control_plane.placement.codes import CODES
from control_plane.placement.cost import CHUNKS_A_STEP, FULL_MS, PARTS
from control_plane.placement.decision import MOST_CANDIDATES
from control_plane.placement.ranking import MARGIN_MS

PAGE = (Path(__file__).parents[3] / "docs" / "placement.md").read_text()


def table(header: str) -> dict[str, str]:
    rows = PAGE.split(f"| {header} |")[1].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {cell[0].strip("`"): cell[1] for cell in cells}


def test_every_reason_of_a_node_is_on_the_page_in_the_order_in_which_it_applies() -> None:
    assert list(table("code | the node")) == [r.code for r in Reason if r is not Reason.ABLE]


def test_every_reason_of_a_decision_is_on_the_page_in_the_same_words() -> None:
    assert table("code | says") == CODES


def test_every_state_is_on_the_page() -> None:
    assert set(table("state | when | takes sessions")) == {state.label for state in State}


def test_costs_and_limits_are_those_of_the_code() -> None:
    assert tuple(table("part of the cost | is")) == PARTS
    assert (CHUNKS_A_STEP, FULL_MS, MARGIN_MS, MOST_CANDIDATES) == (8, 20.0, 5.0, 8)
    limits = Limits()
    assert (limits.attempts, limits.answer_s, limits.overall_s) == (4, 0.5, 2.0)
    for words in ("at eight a step", "20 ms times", "within 5 ms", "four nodes at most, half a"):
        assert re.search(words, PAGE), words
