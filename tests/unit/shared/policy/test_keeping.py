"""What is kept lies at home and in one other place at most, and never where it may not."""

from hypothesis import given
from hypothesis import strategies as st

from heliovox.protocol.messages import Place
from shared.geography import rtt_ms
from shared.policy import Facts, compile_policies, keeping, reachable_stores
from shared.policy.keeping import STORED
from shared.policy.model import CompiledPolicy, KeptIn
from shared.regions import EVERYWHERE, Policy, Region, World
from shared.regions.model import Keep, Rule, When

NAMES = tuple("abcdef")
PLACES = st.builds(Place, st.sampled_from([0.0, 10.0, 50.0]), st.sampled_from([0.0, 1.0, 90.0]))
SUBSETS = st.frozensets(st.sampled_from((*NAMES, "gone")))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Regions that lie anywhere, some at one place."""
    regions = {
        name: Region(name, draw(PLACES), "UTC", name) for name in draw(st.permutations(NAMES))
    }
    return World("v", regions, {EVERYWHERE: frozenset(NAMES)}, {})


def policy(allowed: frozenset[str], kept: frozenset[str], days: int = 3) -> CompiledPolicy:
    keep = (KeptIn("transcripts", kept & allowed, days),)
    return CompiledPolicy("p", "v", allowed, frozenset(), None, "refuse", 0, keep=keep)


@given(world=worlds(), allowed=SUBSETS, kept=SUBSETS, stores=SUBSETS, home=st.sampled_from(NAMES))
def test_at_most_two_places_all_of_them_lawful(
    world: World, allowed: frozenset[str], kept: frozenset[str], stores: frozenset[str], home: str
) -> None:
    """Home where it may be, else the nearest; the mirror is the next nearest, if there is one."""
    found = keeping(policy(allowed, kept), "transcripts", home, world, stores)
    may = allowed & kept & stores & frozenset(world.regions)
    if found is None:
        assert not may
        return
    assert 1 <= len(found.places) <= 2
    assert len(set(found.places)) == len(found.places)
    assert set(found.places) <= may
    assert (found.mirror is None) == (len(may) == 1)
    assert found.days == 3
    if home in may:
        assert found.home == home

    def away(region: str) -> float:
        return rtt_ms(world.regions[home].place, world.regions[region].place)

    nearest = sorted(may, key=lambda region: (region != home, away(region), region))
    assert list(found.places) == nearest[:2]


@given(world=worlds(), stores=SUBSETS, home=st.sampled_from((*NAMES, "", "gone")))
def test_what_no_policy_keeps_lies_nowhere(world: World, stores: frozenset[str], home: str) -> None:
    """Nor does anything of a session of which nobody knows where it is at home."""
    everywhere = policy(frozenset(NAMES), frozenset(NAMES))
    assert keeping(everywhere, "recovery", home, world, stores) is None
    if home not in world.regions:
        assert keeping(everywhere, "transcripts", home, world, stores) is None


def test_who_may_keep_abroad_is_who_a_policy_lets() -> None:
    """Zones: ab holds both, c is alone. A rule keeps wherever its policy allows."""
    regions = {n: Region(n, Place(0, i), "UTC", n) for i, n in enumerate("abc")}
    zones = {"ab": frozenset("ab"), EVERYWHERE: frozenset("abc")}
    policies = {
        "near": Policy("near", ("ab",), keep={"transcripts": Keep(("ab",), 1)}),
        "all": Policy("all", (EVERYWHERE,), keep={"audio": Keep((EVERYWHERE,), 1)}),
    }
    world = World("v", regions, zones, policies, "all")
    without = reachable_stores(world, compile_policies(world))
    assert without == {"a": {"b"}, "b": {"a"}, "c": frozenset()}
    rule = Rule("r", When(data=frozenset({"x"})), keep={"recovery": Keep(("ab",), 0)})
    ruled = World("v", regions, zones, policies, "all", {"r": rule})
    assert reachable_stores(ruled, compile_policies(ruled)) == {
        "a": {"b"},
        "b": {"a"},
        "c": {"a", "b"},
    }


@given(home=st.sampled_from("abc"), data=st.sampled_from(["general", "x"]))
def test_no_place_is_one_that_the_servers_do_not_let_in(home: str, data: str) -> None:
    """Wherever a session is served that its policy allows."""
    regions = {n: Region(n, Place(0, i), "UTC", n) for i, n in enumerate("abc")}
    zones = {"ab": frozenset("ab"), EVERYWHERE: frozenset("abc")}
    policies = {"all": Policy("all", (EVERYWHERE,), keep={"transcripts": Keep(("ab",), 1)})}
    rule = Rule("r", When(data=frozenset({"x"})), keep={"transcripts": Keep((EVERYWHERE,), 0)})
    world = World("v", regions, zones, policies, "all", {"r": rule})
    compiled = compile_policies(world)
    reach = reachable_stores(world, compiled)
    effective = compiled.effective("all", Facts(data=data), 0)
    for what in STORED:
        found = keeping(effective, what, home, world, regions)
        for served in effective.allowed:
            assert found is None or set(found.places) <= reach[served] | {served}
