"""Whether what callers in line are told comes true: a small world in virtual time, many scenarios.

The same queue, the same learning and the same estimate as in a control plane. Of callers who stay
until they have a seat it is seen whether their wait was within what was said at its beginning. The
naive one takes the mean length for known, and knows of nobody who leaves, comes or weighs more.
"""

from collections.abc import Iterator

from tests.benchmarks.figures import Figure
from tests.support.waiting_world import SCENARIOS, Told, World, coverage, width_s


def naive_coverage(told: list[Told]) -> float:
    return sum(one.naive_inside for one in told) / len(told)


def naive_width_s(told: list[Told]) -> float:
    widths = sorted(one.naive_s[1] - one.naive_s[0] for one in told)
    return widths[len(widths) // 2]


def said_so(told: list[Told]) -> float:
    """The share that was told that sessions have changed."""
    return sum(one.source == "recent" for one in told) / len(told)


def run(rounds: int, seconds: float) -> Iterator[Figure]:
    """A round is a seed."""
    del seconds
    for name, scenario in SCENARIOS.items():
        worlds = [World(scenario, seed).run() for seed in range(rounds)]
        for what, unit, figure in (
            ("within what was said (meant: 80)", "%", coverage),
            ("within the naive estimate", "%", naive_coverage),
            ("width, median", "s", width_s),
            ("width of the naive estimate", "s", naive_width_s),
            ("told that sessions have changed", "%", said_so),
        ):
            scale = 100.0 if unit == "%" else 1.0
            yield Figure(
                f"{name}: {what}", unit, tuple(round(scale * figure(one), 1) for one in worlds)
            )
