"""Limits are compared as a person would: what is at a limit by decimals is not beyond it."""

import msgspec
import numpy as np
import pytest

from control_plane.fleet import Fleet
from control_plane.placement import decide
from control_plane.placement.classes import classes_of, spills
from shared.policy import in_reach
from shared.regions import EVERYWHERE, Overflow, Policy
from tests.support.fleets import MUMBAI, PARIS, ask, policy, report, world

TENTH = Policy("tenth", (EVERYWHERE,), Overflow((EVERYWHERE,), max_added_cost_usd=0.5))


def test_a_region_that_costs_as_much_more_as_is_borne_is_in_reach() -> None:
    """1.1 - 0.6 is 0.5000000000000001."""
    assert in_reach(policy("tenth", world(tenth=TENTH)), "eu-west", "sa-east", 0.0, 1.1 - 0.6)
    assert not in_reach(policy("tenth", world(tenth=TENTH)), "eu-west", "sa-east", 0.0, 0.501)


@pytest.mark.parametrize(("load", "due"), [(0.35 + 0.05, True), (0.399, False), (0.4, True)])
def test_a_load_at_the_threshold_spills(load: float, due: bool) -> None:
    """0.35 + 0.05 is 0.39999999999999997."""
    loads = np.array([load, load])
    assert spills(loads, 0, 0.4) == due
    classes = classes_of(np.array([0, 1]), loads, 0, 0.4, spilling=True)
    assert classes.tolist() == [1, 2 if due else 0]


def test_a_home_that_is_spared_says_so_also_where_everybody_stands_back() -> None:
    """Home is loaded, not unavailable: it has a node that stands back as the winner does."""
    at_home = report("a", "eu-central", healthy=False)
    elsewhere = report("b", "ap-south", fits=9, held=1, healthy=False)
    fleet = Fleet(world(), 0.0)
    for said in (at_home, elsewhere, report("a", seq=2, fits=2, held=8),
                 report("b", "ap-south", seq=2, fits=9, held=1)):  # fmt: skip
        fleet.reported(said, 10.0)
    decision = decide(fleet.view(10.0), ask(PARIS, ramp=0.9), policy("early"))
    assert decision.winner is not None
    assert decision.winner.node == "b"
    assert decision.codes[0] == "overflow_home_loaded"
    assert "ramping_only" in decision.codes


def test_rounding_takes_no_region_out_of_reach() -> None:
    at = world(tenth=TENTH)
    prices = {"ap-south": 0.6, "eu-central": 1.1}
    regions = {
        name: msgspec.structs.replace(region, hourly_cost_usd=prices.get(name, 1.0))
        for name, region in at.regions.items()
    }
    fleet = Fleet(msgspec.structs.replace(at, regions=regions), 0.0)
    for said in (report("a", "ap-south", fits=0), report("b", "eu-central")):
        fleet.reported(said, 10.0)
    decision = decide(fleet.view(10.0), ask(MUMBAI), policy("tenth", at))
    assert decision.winner is not None
    assert decision.winner.node == "b"
