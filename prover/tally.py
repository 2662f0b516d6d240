"""What was met while proving, counted; and what was wrong, with the way back to it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

MOST_KEPT = 20
"""Violations that are kept word for word."""


@dataclass(frozen=True)
class Found:
    """A violation, and how to see it again."""

    kind: str
    detail: str
    seed: str
    world: int
    """The number of the world that was drawn."""
    step: int
    """The number of the decision in it."""
    context: dict[str, Any] = field(default_factory=dict)


@dataclass
class Tally:
    """Counts that add up."""

    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    """Of nodes, in all decisions."""
    violations: int = 0
    found: list[Found] = field(default_factory=list)
    cpu_s: float = 0.0
    checker_s: float = 0.0
    """Of that, what the checker itself took."""

    @property
    def decisions(self) -> int:
        """Checked so far."""
        return self.counts["decisions"]

    def add(self, other: "Tally") -> None:
        """Adds another's."""
        self.counts.update(other.counts)
        self.reasons.update(other.reasons)
        self.violations += other.violations
        self.found = sorted([*self.found, *other.found], key=lambda f: (f.world, f.step))
        del self.found[MOST_KEPT:]
        self.cpu_s += other.cpu_s
        self.checker_s += other.checker_s

    def accuse(self, found: Found) -> None:
        """Keeps a violation."""
        self.violations += 1
        if len(self.found) < MOST_KEPT:
            self.found.append(found)

    def answered(self, answer: dict[str, Any]) -> None:
        """Counts what a decision met."""
        counts = self.counts
        placed = answer["node"] is not None
        counts["placed" if placed else "refused"] += 1
        counts[f"outcome {answer['outcome']}"] += 1
        if placed and answer["region"] != answer["home"]:
            counts["overflow"] += 1
        for code in answer["codes"]:
            counts[f"code {code}"] += 1
        self.reasons.update(answer["reasons"].values())
