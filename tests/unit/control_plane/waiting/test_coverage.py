"""What callers are told, in a world in virtual time: it holds what it promises."""

from dataclasses import replace
from functools import cache

from tests.support.waiting_world import SCENARIOS, Told, World, coverage, lognormal, width_s


@cache
def steady() -> list[Told]:
    return told("steady", 1, end_s=12_000.0)


def told(name: str, seeds: int, **changes: object) -> list[Told]:
    scenario = replace(SCENARIOS[name], **changes)  # type: ignore[arg-type]
    return [one for seed in range(seeds) for one in World(scenario, seed).run()]


def test_eight_of_ten_waits_are_within_what_was_said() -> None:
    """Heavy-tailed lengths, tenants by weight, callers who leave; seen on those who stay."""
    all_told = steady() + told("three seats", 1, end_s=40_000.0)
    assert len(all_told) > 250
    assert 0.75 <= coverage(all_told) <= 0.85
    naive = sum(one.naive_inside for one in all_told) / len(all_told)
    assert naive < 0.7  # whoever goes by the mean promises as much, and keeps less


def test_intervals_are_no_wider_than_they_need_be() -> None:
    """Both ends are missed about as often."""
    all_told = steady()
    sooner = sum(one.waited_s < one.low_s for one in all_told) / len(all_told)
    later = sum(one.waited_s > one.high_s for one in all_told) / len(all_told)
    assert 0.04 < sooner < 0.17
    assert 0.04 < later < 0.17


def test_when_sessions_change_it_says_so_and_widens() -> None:
    all_told = told("thrice as long", 1, end_s=11_000.0, stay=0.4)
    late = [one for one in all_told if one.source == "recent"]
    early = [one for one in all_told if one.source != "recent"]
    assert len(late) > 15
    assert coverage(late) > 0.55

    def relative(some: list[Told]) -> float:
        return width_s(some) / (sorted(one.high_s for one in some)[len(some) // 2])

    assert relative(late) >= relative(early) - 0.05
    naive = sum(one.naive_inside for one in late) / len(late)
    assert naive < coverage(late) - 0.3


def test_with_nothing_known_yet_it_says_so() -> None:
    all_told = told("nothing known", 6, end_s=600.0, length=lognormal(60.0), mean_s=60.0, load=2.0)
    first = [one for one in all_told if one.source == "assumed"]
    assert first
    assert coverage(all_told) > 0.65
