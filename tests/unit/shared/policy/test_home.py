import dataclasses

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from heliovox.protocol.messages import Place
from shared.errors import Unsupported
from shared.geography import rtt_ms
from shared.policy import CompiledPolicy, compile_policies, home_region, in_reach
from shared.regions import EVERYWHERE, Overflow, Policy, Region, World
from shared.regions.file import default_world_path, load_world

COUNTRIES = ("de", "fr", "in", "us")
ZONES = ("a", "b", "c")
PLACES = st.builds(Place, st.floats(-90, 90), st.floats(-180, 180))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any regions, overlapping zones, and one policy, sensible or not."""
    regions = {
        f"r{number}": Region(f"r{number}", draw(PLACES), "UTC", law)
        for number, law in enumerate(draw(st.lists(st.sampled_from(COUNTRIES), max_size=6)))
    }
    zones = {zone: draw(st.frozensets(st.sampled_from(COUNTRIES))) for zone in ZONES}
    zones[EVERYWHERE] = frozenset(region.jurisdiction for region in regions.values())
    some = st.lists(st.sampled_from((*ZONES, EVERYWHERE, "unknown")), max_size=3).map(tuple)
    limit = draw(st.none() | st.floats(0, 300))
    policy = Policy("p", draw(some), Overflow(draw(some), limit))
    return World("v", regions, zones, {"p": policy}, "p")


def compiled(world: World) -> CompiledPolicy:
    return compile_policies(world).of("p")


@given(worlds())
def test_allowed_is_the_union_of_the_zones_and_nothing_else(world: World) -> None:
    """Derived again region by region, by another way than the code's."""
    policy = compiled(world)
    for name, region in world.regions.items():
        lawful = any(
            region.jurisdiction in world.zones.get(zone, ()) for zone in world.policies["p"].allow
        )
        assert (name in policy.allowed) == lawful
    assert policy.allowed <= world.regions.keys()


@given(worlds())
def test_overflow_never_leaves_what_is_allowed(world: World) -> None:
    policy = compiled(world)
    assert policy.overflow <= policy.allowed
    for name in policy.overflow:
        law = world.regions[name].jurisdiction
        assert any(law in world.zones.get(z, ()) for z in world.policies["p"].overflow.zones)


@given(worlds(), PLACES, st.data())
def test_home_is_the_nearest_allowed_region_in_service(
    world: World, place: Place, data: st.DataObject
) -> None:
    policy = compiled(world)
    names = st.sampled_from([*world.regions, "elsewhere"])
    in_service = data.draw(st.sets(names))
    home = home_region(policy, place, world, in_service)
    able = policy.allowed & in_service
    if home is None:
        assert not able
    else:
        assert home in able
        far = {name: rtt_ms(place, world.regions[name].place) for name in able}
        assert far[home] == min(far.values())


@given(worlds(), st.data(), st.floats(allow_nan=True, allow_infinity=True))
def test_nothing_is_in_reach_that_is_not_allowed(
    world: World, data: st.DataObject, added_rtt_ms: float
) -> None:
    policy = compiled(world)
    names = st.sampled_from([*world.regions, "elsewhere"])
    home, region = data.draw(names), data.draw(names)
    if in_reach(policy, home, region, added_rtt_ms):
        assert region in policy.allowed
        assert region == home or region in policy.overflow
        limit_ms = policy.max_added_rtt_ms
        assert region == home or limit_ms is None or added_rtt_ms <= limit_ms


@given(worlds(), st.data())
def test_a_wider_overflow_widens_nothing(world: World, data: st.DataObject) -> None:
    """Everything may be overflowed to, and still only what is allowed is."""
    before = compiled(world)
    wide = Policy("p", world.policies["p"].allow, Overflow((*ZONES, EVERYWHERE)))
    after = compiled(World("v", world.regions, world.zones, {"p": wide}, "p"))
    assert after.allowed == before.allowed == after.overflow


@given(worlds())
def test_what_was_compiled_cannot_be_widened(world: World) -> None:
    policy = compiled(world)
    assume(policy.allowed)
    with pytest.raises(dataclasses.FrozenInstanceError):
        policy.allowed = frozenset({"elsewhere"})  # type: ignore[misc]
    with pytest.raises(ValueError, match="not allowed"):
        dataclasses.replace(policy, overflow=policy.overflow | {"elsewhere"})


def test_of_equally_near_regions_the_smaller_name_is_home() -> None:
    here = Place(1, 1)
    regions = {name: Region(name, here, "UTC", "de") for name in ("b", "a", "c")}
    world = World("v", regions, {EVERYWHERE: frozenset({"de"})}, {"p": Policy("p", (EVERYWHERE,))})
    assert home_region(compiled(world), here, world, ["c", "b", "a"]) == "a"


def test_home_is_one_of_the_preferred_where_one_of_them_is_in_service() -> None:
    places = {"near": Place(0, 0), "far": Place(0, 50), "farther": Place(0, 60)}
    regions = {name: Region(name, at, "UTC", name[:2]) for name, at in places.items()}
    law = {EVERYWHERE: frozenset({"ne", "fa"}), "away": frozenset({"fa"})}
    policy = Policy("p", (EVERYWHERE,), prefer=("away",))
    world = World("v", regions, law, {"p": policy}, "p")
    for in_service, home in (
        (["near", "far", "farther"], "far"),
        (["near", "farther"], "farther"),
        (["near"], "near"),
        ([], None),
    ):
        assert home_region(compiled(world), places["near"], world, in_service) == home


def test_what_costs_too_much_more_is_out_of_reach() -> None:
    regions = {name: Region(name, Place(1, 1), "UTC", "de") for name in ("a", "b")}
    overflow = Overflow((EVERYWHERE,), max_added_cost_usd=0.5)
    policy = Policy("p", (EVERYWHERE,), overflow)
    world = World("v", regions, {EVERYWHERE: frozenset({"de"})}, {"p": policy}, "p")
    assert in_reach(compiled(world), "a", "b", 0.0, 0.5)
    assert not in_reach(compiled(world), "a", "b", 0.0, 0.500001)
    assert in_reach(compiled(world), "a", "a", 0.0, 99.0)


def test_the_world_that_ships_places_callers_as_it_says() -> None:
    world = load_world(default_world_path())
    policies = compile_policies(world)
    paris, mumbai, sao_paulo = Place(48.85, 2.35), Place(19.07, 72.87), Place(-23.55, -46.63)
    assert home_region(policies.of("eu-only"), paris, world, world.regions) == "eu-central"
    for name in ("anywhere", "default"):
        assert home_region(policies.of(name), mumbai, world, world.regions) == "ap-south"
        assert home_region(policies.of(name), sao_paulo, world, world.regions) == "sa-east"
    assert policies.of("eu-only").allowed == {"eu-central", "eu-west"}
    assert in_reach(policies.of("eu-only"), "eu-central", "eu-west", 20)
    assert not in_reach(policies.of("eu-only"), "eu-central", "us-east", 0)
    assert in_reach(policies.of("anywhere"), "eu-central", "ap-south", 500)
    assert policies.of("in-only").allowed == {"ap-south"}
    assert policies.of("ksa-only").allowed == {"me-central"}
    assert policies.default == "default"
    assert policies.version == world.version == policies.of("default").version


def test_by_default_no_session_crosses_an_ocean_or_leaves_europe() -> None:
    """The comment in regions.yaml says so."""
    world = load_world(default_world_path())
    policy = compile_policies(world).of("default")
    reached = {
        home: {
            name
            for name, region in world.regions.items()
            if name != home and in_reach(policy, home, name, rtt_ms(region.place, at.place) - 4)
        }
        for home, at in world.regions.items()
    }
    assert reached["us-east"] == {"us-west"}
    assert reached["eu-central"] == {"eu-west"}
    assert reached["eu-west"] == {"eu-central"}
    assert reached["ap-south"] == {"me-central", "ap-southeast"}
    assert reached["sa-east"] == set()


def test_an_unknown_policy_is_named_beside_the_known_ones() -> None:
    policies = compile_policies(load_world(default_world_path()))
    with pytest.raises(Unsupported) as refused:
        policies.of("eu_only")
    assert (refused.value.field, refused.value.value) == ("policy", "eu_only")
    assert "eu-only" in (refused.value.remedy or "")
