"""What counts as the node's own fault."""

import pytest

from edge_node.tally import Tally
from heliovox.protocol.messages import Ended, Error


@pytest.mark.parametrize(
    ("code", "faults"),
    [("engine_failed", 1), ("internal", 1), ("node_full", 0), ("silent", 0), ("bad_audio", 0)],
)
def test_only_its_own_faults_are_told_to_the_centre(code: str, faults: int) -> None:
    tally = Tally()
    tally.told(Error(code, "no"))
    tally.told(Ended("s", "finish", 0, 0))
    assert tally.faults == faults
