"""Worlds with policies and rules of any kind, and the sessions that can tell them apart."""

from collections.abc import Iterator
from itertools import combinations, product
from typing import NamedTuple

from hypothesis import strategies as st

from heliovox.protocol.messages import Place
from shared.policy import Facts
from shared.regions import EVERYWHERE, Overflow, Policy, Region, World
from shared.regions.model import Keep, Period, Rule, When

COUNTRIES = ("de", "fr", "us")
ZONES = ("x", "y", EVERYWHERE)
CERTIFICATIONS = ("c1", "c2")
TENANTS, DATA, LANGUAGES = ("t1", "t2"), ("d1", "d2"), ("en", "en-gb", "fr")
SPOKEN = ("en", "EN-gb", "en-gb-x", "en-us", "fr", "frr", "")
MOMENTS = (0, 10, 20, 30)
TIMES = (-1, 0, 9, 10, 11, 19, 20, 29, 30, 31)


def some(of: tuple[str, ...], least: int = 0) -> st.SearchStrategy[tuple[str, ...]]:
    """A few of the words."""
    return st.lists(st.sampled_from(of), min_size=least, max_size=2, unique=True).map(tuple)


def condition(of: tuple[str, ...]) -> st.SearchStrategy[frozenset[str] | None]:
    """One condition of a rule, or none."""
    return st.none() | some(of, least=1).map(frozenset)


PERIODS = st.builds(
    lambda a, b: Period(*(sorted((a, b)) if a is not None and b is not None else (a, b))),
    st.none() | st.sampled_from(MOMENTS),
    st.none() | st.sampled_from(MOMENTS),
).filter(lambda p: None in (p.from_ms, p.until_ms) or p.from_ms != p.until_ms)
OVERFLOWS = st.builds(Overflow, some(ZONES), st.none() | st.just(30.0))
KEEPS = st.dictionaries(
    st.sampled_from(["audio", "transcripts"]), st.builds(Keep, some(ZONES), st.integers(0, 2))
)
WHENS = st.builds(
    When,
    condition(TENANTS),
    condition(DATA),
    condition(LANGUAGES),
    condition(COUNTRIES),
    condition(("p0", "p1")),
)
MODES = st.sampled_from(["claim", "address", "both", "agree"])


def rules(name: str) -> st.SearchStrategy[Rule]:
    """Any rule of this name."""
    return st.builds(
        Rule,
        st.just(name),
        WHENS,
        PERIODS,
        allow=st.none() | some(ZONES),
        forbid=some(("x", "y")),
        require=some(CERTIFICATIONS).map(frozenset),
        prefer=st.none() | some(ZONES),
        overflow=st.none() | OVERFLOWS,
        when_full=st.sampled_from([None, "refuse", "wait"]),
        wait_s=st.sampled_from([None, 1.0, 2.0]),
        keep=KEEPS,
        may_refuse=st.booleans(),
        restricted=st.booleans(),
        after_expiry_s=st.sampled_from([None, 0, 60]),
        when_forbidden=st.sampled_from([None, "finish", "move"]),
        recovery_s=st.sampled_from([None, 0.0, 30.0]),
        ledger=st.sampled_from(["wanted", "required"]),
    )


def policies(name: str) -> st.SearchStrategy[Policy]:
    """Any policy of this name."""
    return st.builds(
        Policy,
        st.just(name),
        some(ZONES),
        OVERFLOWS,
        forbid=some(("x", "y")),
        require=some(CERTIFICATIONS).map(frozenset),
        prefer=some(ZONES),
        keep=KEEPS,
        country_from=MODES,
        restricted=st.booleans(),
        after_expiry_s=st.sampled_from([0, 60, 3600]),
        when_forbidden=st.sampled_from(["finish", "end", "move"]),
        recovery_s=st.sampled_from([None, 0.0, 120.0]),
        ledger=st.sampled_from(["wanted", "required"]),
        period=PERIODS,
    )


@st.composite
def worlds(draw: st.DrawFn, most_rules: int = 4) -> World:
    """Any world of few words, so that everything meets often."""
    regions = {
        f"r{number}": Region(
            f"r{number}", Place(number, 0), "UTC", law,
            certifications=frozenset(draw(some(CERTIFICATIONS))),
        )
        for number, law in enumerate(draw(st.lists(st.sampled_from(COUNTRIES), max_size=4)))
    }  # fmt: skip
    zones = {zone: frozenset(draw(some(COUNTRIES))) for zone in ("x", "y")}
    zones[EVERYWHERE] = frozenset(region.jurisdiction for region in regions.values())
    count = draw(st.integers(0, most_rules))
    return World(
        "v",
        regions,
        zones,
        {name: draw(policies(name)) for name in ("p0", "p1")},
        "p0",
        {f"u{number}": draw(rules(f"u{number}")) for number in range(count)},
    )


FACTS = st.builds(
    Facts,
    st.sampled_from([*TENANTS, "t3"]),
    st.sampled_from([*DATA, "general"]),
    st.sampled_from(SPOKEN),
    st.frozensets(st.sampled_from([*COUNTRIES, "jp"]), max_size=2),
)


class Session(NamedTuple):
    """What decides."""

    policy: str
    facts: Facts
    at_ms: int


def sessions(world: World) -> Iterator[Session]:
    """Every session that can differ from another in this world, under its policies' own terms."""
    known = (*COUNTRIES, "jp")
    for name, policy in world.policies.items():
        pairs = [frozenset(two) for two in combinations(known, 2)]
        countries = [frozenset[str](), *(frozenset({one}) for one in known)]
        countries += pairs if policy.country_from == "both" else []
        for at_ms in (-1, *MOMENTS):
            if not policy.period.holds(at_ms):
                continue
            spoken = ("en", "en-gb-x", "fr", "")
            words = product((*TENANTS, "t3"), (*DATA, "general"), spoken, countries)
            for tenant, data, language, where in words:
                yield Session(name, Facts(tenant, data, language, where), at_ms)
