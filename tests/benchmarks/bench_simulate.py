"""A day's decisions under another policy: a million, 200 nodes in 50 regions, 17 million reports.

Ten minutes are lived and repeated until the day is full. The proposed world takes two zones from a
tenth of the tenants; what follows for the others is decided too.
"""

import functools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from control_plane.policies.limits import Limits
from control_plane.policies.simulate import Options
from control_plane.simulating import Job, simulate
from shared.regions import World
from shared.regions.model import Rule, When
from tests.benchmarks.bench_placement import world
from tests.benchmarks.day_log import write_log
from tests.benchmarks.figures import Figure

LIVED_S = 600
DAY, QUICK = 144, 2
"""So many times ten minutes."""


def run(rounds: int, seconds: float) -> Iterator[Figure]:
    """One round: it takes minutes. `--quick` takes twenty minutes of the day."""
    del rounds
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "day.hvlog"
        write_log(log, QUICK if seconds < 10 else DAY, seconds=LIVED_S)
        yield Figure("log of it", "MB", (log.stat().st_size / 1e6,))
        for name, proposed in (("the same policies", world), ("others for a tenth", other_world)):
            for processes in (1, 2):
                yield _measured(f"{name}, {processes} at a time", log, proposed, processes)


def other_world() -> World:
    """Some tenants lose two zones."""
    rule = Rule(
        "new", When(tenants=frozenset({"t0", "t1", "t2", "t3"})), forbid=("z2", "z7"),
        may_refuse=True,
    )  # fmt: skip
    rules = {**world().rules, "new": rule}
    return msgspec.structs.replace(world(), version="v2", rules=rules)


def _measured(name: str, log: Path, proposed: object, processes: int) -> Figure:
    made = functools.partial(_made, proposed)
    began_s = time.monotonic()
    found = simulate(Job(log, made), Options(), Limits(), processes=processes)
    took_s = time.monotonic() - began_s
    print(f"  {found.decisions} decisions, {found.total.moved} moved, {took_s:.0f} s")
    return Figure(f"simulated: {name}", "decisions/s", (found.decisions / took_s,))


def _made(proposed: object) -> World:
    """In whatever process."""
    assert callable(proposed)
    made: World = proposed()
    return made
