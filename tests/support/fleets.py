"""Worlds, reports and fleets for tests of the centre, and strategies that make up any."""

from collections.abc import Iterable
from typing import Any

import msgspec
from hypothesis import strategies as st

from control_plane.fleet import Fleet, FleetView
from control_plane.placement import PlacementAsk
from heliovox.protocol.messages import Place
from shared.capacity import CapacityReport, KindRoom
from shared.policy import CompiledPolicy, compile_policies
from shared.regions import EVERYWHERE, Overflow, Policy, Region, World

SPOTS = {
    "eu-central": ("de", Place(50.1, 8.7)),
    "eu-west": ("ie", Place(53.3, -6.3)),
    "ap-south": ("in", Place(19.1, 72.9)),
    "sa-east": ("br", Place(-23.5, -46.6)),
}
PRICES = {"eu-central": 1.5, "eu-west": 1.0, "ap-south": 0.5, "sa-east": 2.0}
PARIS = Place(48.85, 2.35)
MUMBAI = Place(19.0, 72.8)


def world(version: str = "v1", **policies: Policy) -> World:
    """Four regions and the policies `eu-only`, `anywhere`, `at-home`, `near`, `early`."""
    eu = ("eu",)
    named = {
        "eu-only": Policy("eu-only", eu, Overflow(eu)),
        "at-home": Policy("at-home", eu),
        "near": Policy("near", (EVERYWHERE,), Overflow((EVERYWHERE,), 30.0)),
        "anywhere": Policy("anywhere", (EVERYWHERE,), Overflow((EVERYWHERE,))),
        "early": Policy("early", (EVERYWHERE,), Overflow((EVERYWHERE,), from_load=0.7)),
        **policies,
    }
    return World(
        version=version,
        regions={
            name: Region(name, at, "UTC", law, hourly_cost_usd=PRICES[name])
            for name, (law, at) in SPOTS.items()
        },
        zones={"eu": frozenset({"de", "ie"}), EVERYWHERE: frozenset({"de", "ie", "in", "br"})},
        policies=named,
        default_policy="eu-only",
    )


def policy(name: str = "eu-only", of: World | None = None) -> CompiledPolicy:
    return compile_policies(of or world()).of(name)


def report(node: str = "a", region: str = "eu-central", **changes: Any) -> CapacityReport:
    """A node with room for four of ten; `fits` and `held` are of recognition."""
    fits, held = changes.pop("fits", 4), changes.pop("held", 6)
    said = CapacityReport(
        node=node,
        region=region,
        boot="b1",
        seq=1,
        at_ms=0,
        url=f"wss://{node}.example/v1/stream",
        version="1.0",
        kinds={"recognition": KindRoom(held, fits), "synthesis": KindRoom(0, 2 * fits)},
        limit=10,
        languages=("en",),
        models=("small",),
        voices=("anna",),
        step_p50_ms=3.0,
        step_p95_ms=5.0,
    )
    return msgspec.structs.replace(said, **changes)


def fleet(reports: Iterable[CapacityReport], now_s: float = 10.0) -> Fleet:
    """A settled fleet of which every node has just reported."""
    made = Fleet(world(), began_s=0.0)
    for said in reports:
        heard = made.reported(said, now_s)
        assert not heard.refused, heard
    return made


def view(*reports: CapacityReport, now_s: float = 10.0) -> FleetView:
    return fleet(reports, now_s).view(now_s)


def ask(place: Place = PARIS, **changes: Any) -> PlacementAsk:
    wanted = PlacementAsk("d1", 0, "recognition", "en", None, place, 0.0)
    return msgspec.structs.replace(wanted, **changes)


PLACES = st.builds(Place, st.floats(-90, 90), st.floats(-180, 180))
LAWS = ("de", "fr", "in", "us")


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any regions in few places, so that some are equally near; overlapping zones; one policy."""
    regions = {
        f"r{n}": Region(f"r{n}", draw(st.sampled_from([PARIS, MUMBAI]) | PLACES), "UTC", law)
        for n, law in enumerate(draw(st.lists(st.sampled_from(LAWS), min_size=1, max_size=6)))
    }
    zones = {zone: draw(st.frozensets(st.sampled_from(LAWS))) for zone in ("x", "y")}
    zones[EVERYWHERE] = frozenset(region.jurisdiction for region in regions.values())
    some = st.lists(st.sampled_from(("x", "y", EVERYWHERE)), max_size=2).map(tuple)
    rule = Policy("p", draw(some), Overflow(draw(some), draw(st.none() | st.floats(0, 200))))
    return World("v", regions, zones, {"p": rule}, "p")


@st.composite
def reports_in(draw: st.DrawFn, at: World, names: str = "abcdefgh") -> list[CapacityReport]:
    """Reports of some nodes in the world's regions, in any condition."""
    nodes = draw(st.sets(st.sampled_from(list(names)), max_size=len(names)))
    return [draw(any_report(node, at)) for node in sorted(nodes)]


def any_report(node: str, at: World) -> st.SearchStrategy[CapacityReport]:
    few = st.integers(0, 3)
    return st.builds(
        report,
        node=st.just(node),
        region=st.sampled_from(sorted(at.regions)),
        fits=few,
        held=few,
        languages=st.sampled_from([("en",), ("en", "hi"), ("hi",)]),
        models=st.sampled_from([("small",), ("small", "large")]),
        draining=st.sampled_from([False, False, False, True]),
        healthy=st.sampled_from([True, True, True, False]),
        tier=st.sampled_from(["hot", "hot", "hot", "warm"]),
        step_p95_ms=st.sampled_from([1.0, 5.0, 80.0]),
        queue=few,
    )


ASKS = st.builds(
    PlacementAsk,
    id=st.just("d1"),
    at_ms=st.just(0),
    kind=st.sampled_from(["recognition", "recognition", "synthesis", "juggling"]),
    language=st.sampled_from(["en", "EN", "hi", "xx"]),
    model=st.sampled_from([None, None, "large", "anna"]),
    place=st.sampled_from([PARIS, MUMBAI]) | PLACES,
    draw=st.floats(0, 1, exclude_max=True),
    without=st.sampled_from([(), (), ("a", "b"), ("nobody",)]),
)
