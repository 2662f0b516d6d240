"""Numbers with their spread, and the machine they come from."""

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measured quantity over several rounds, held against a budget."""

    name: str
    unit: str
    rounds: tuple[float, ...]
    budget: float | None = None

    @property
    def median(self) -> float:
        """The middle round."""
        return statistics.median(self.rounds)

    @property
    def met(self) -> bool | None:
        """Whether the median keeps the budget; None without one."""
        return None if self.budget is None else self.median < self.budget

    def __str__(self) -> str:
        low, high = min(self.rounds), max(self.rounds)
        budget = "" if self.budget is None else f"  budget < {self.budget:g} {self.unit}"
        verdict = {True: "  met", False: "  MISSED", None: ""}[self.met]
        spread = f"[{low:.3g} .. {high:.3g}], {len(self.rounds)} rounds"
        return f"{self.name:<58} {self.median:8.3g} {self.unit:<10} {spread}{budget}{verdict}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of the values do not exceed; nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def machine() -> str:
    """What the figures were measured on."""
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, load {load}"


def cpu_s(pid: int) -> float:
    """User and system seconds that a process has used, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_kib(pid: int) -> int:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise ProcessLookupError(pid)
