"""The independent checker: from the policy document alone, on the standard library and YAML alone.

It is handed what anybody could write down: the text of a regions.yaml, reports and answers of nodes
with their times, asks, and decisions. Plain loops rather than fast columns, so that it can be read
beside docs/regions.md and docs/placement.md.
"""

from prover.checker.check import Checker
from prover.checker.violation import Violation

__all__ = ["Checker", "Violation"]
