"""Policy before distance before load, whatever callers say."""

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from edge_node.capacity.admission import Admission
from edge_node.centre.admittance import Admit, AskCentre, Standing, decide
from edge_node.centre.answers import Abilities, reserve
from edge_node.centre.expiry import Held
from edge_node.centre.identity import Identity
from edge_node.centre.rules import Rules, open_rules, permits
from heliovox.protocol.messages import Place, Start
from shared.bundle import BundleRefused, sign_bundle, verify_bundle
from shared.errors import Forbidden, InvalidMessage, NotAllowed, Unsupported, VoiceError
from shared.exchange import Bundle, KeyGrant, Reserve, Reserved
from shared.keys import key_digest
from shared.policy import Facts
from tests.support.fleet import MUMBAI, PARIS, WORLD

REGIONS = ("eu-central", "eu-west", "ap-south")
POLICIES = ("default", "eu-only", "in-only")
ROOM = Standing("eu-central", draining=False, fits=1)


def bundle(**other: object) -> Bundle:
    fields = {
        "version": "1",
        "policy_version": "p",
        "world": WORLD,
        "keys": (),
        "in_service": REGIONS,
        "iat": 0,
        "exp": 1000,
    }
    return Bundle(**(fields | other))  # type: ignore[arg-type]


RULES = open_rules(bundle(), "eu-central")
HELD = Held(RULES, 0.0)
ANYTHING = KeyGrant("", "t", ("*",))


def test_at_home_with_room_is_here() -> None:
    decided = decide(Start(policy="eu-only", place=PARIS), "recognition", ANYTHING, HELD, ROOM)
    assert isinstance(decided, Admit)
    assert (decided.terms.tenant, decided.terms.policy) == ("t", "eu-only")
    assert decided.terms.policy_version == RULES.policies.version
    assert (decided.terms.facts.language, decided.terms.home) == ("en", "eu-central")


def test_terms_know_what_rules_looked_at_and_where_home_is_also_elsewhere() -> None:
    start = Start(place=MUMBAI, data="health", language="en-GB", country="in")
    decided = decide(start, "recognition", ANYTHING, HELD, ROOM)
    assert isinstance(decided, AskCentre)
    terms = decided.terms
    assert terms.facts == Facts("t", "health", "en-GB", frozenset({"in"}))
    assert terms.home == "ap-south"


def test_who_says_no_place_is_where_the_node_is() -> None:
    assert isinstance(decide(Start(), "recognition", ANYTHING, HELD, ROOM), Admit)


@pytest.mark.parametrize(
    ("start", "standing", "why"),
    [
        (Start(place=MUMBAI), ROOM, "not_home"),
        (Start(place=PARIS), Standing("eu-central", draining=True, fits=9), "node_draining"),
        (Start(place=PARIS), Standing("eu-central", draining=False, fits=0), "node_full"),
        (Start(place=PARIS), Standing("eu-central", False, 1, in_line=1), "others_wait"),
        (Start(policy="in-only", redirect=True), ROOM, "not_allowed_here"),
    ],
)
def test_the_centre_is_asked_with_the_reason(start: Start, standing: Standing, why: str) -> None:
    decided = decide(start, "recognition", ANYTHING, HELD, standing)
    assert isinstance(decided, AskCentre)
    assert (decided.ask.why, decided.ask.relay) == (why, not start.redirect)
    assert decided.ask.place_source == ("node" if start.place is None else "given")


def test_nobody_is_relayed_by_a_node_that_may_not_hear_him() -> None:
    with pytest.raises(NotAllowed, match="in-only does not allow eu-central") as refused:
        decide(Start(policy="in-only"), "recognition", ANYTHING, HELD, ROOM)
    assert "ap-south" in (refused.value.remedy or "")


def test_what_the_key_does_not_permit_is_forbidden() -> None:
    grant = KeyGrant("", "t", ("eu-only",))
    with pytest.raises(Forbidden) as refused:
        decide(Start(policy="default"), "recognition", grant, HELD, ROOM)
    assert (refused.value.field, refused.value.value) == ("policy", "default")
    with pytest.raises(Unsupported):
        decide(Start(policy="nonsense"), "recognition", ANYTHING, HELD, ROOM)
    with pytest.raises(InvalidMessage):
        decide(Start(place=Place(99.0, 0.0)), "recognition", ANYTHING, HELD, ROOM)


@given(
    region=st.sampled_from(REGIONS),
    policy=st.none() | st.sampled_from(POLICIES),
    permitted=st.lists(st.sampled_from([*POLICIES, "*"]), max_size=3),
    place=st.none() | st.builds(Place, st.floats(-90, 90), st.floats(-180, 180)),
    in_service=st.sets(st.sampled_from(REGIONS)),
    fits=st.integers(0, 2),
    draining=st.booleans(),
    redirect=st.booleans(),
)
def test_who_is_let_in_may_be_here(  # noqa: PLR0917
    region: str,
    policy: str | None,
    permitted: list[str],
    place: Place | None,
    in_service: set[str],
    fits: int,
    draining: bool,
    redirect: bool,
) -> None:
    rules = open_rules(bundle(in_service=tuple(in_service)), region, RULES)
    grant = KeyGrant("", "t", tuple(permitted))
    start = Start(policy=policy, place=place, redirect=redirect)
    try:
        decided = decide(
            start, "recognition", grant, Held(rules, 0.0), Standing(region, draining, fits)
        )
    except Forbidden:
        assert not permits(grant, rules.policy_for(grant, policy))
        return
    except NotAllowed:
        assert not redirect
        return
    allowed = rules.policies.of(decided.terms.policy).allowed
    assert permits(grant, decided.terms.policy)
    if isinstance(decided, Admit):
        assert region in allowed
        assert fits > 0
        assert not draining
    elif decided.ask.relay:
        assert region in allowed


RULED = (
    WORLD.replace("  in-only:", "  agree: {allow: [everywhere], country_from: agree}\n  in-only:")
    + """
rules:
  indian: {when: {countries: [in]}, allow: [india], may_refuse: true}
  bank: {when: {tenants: [bank]}, forbid: [eu], may_refuse: true}
  health: {when: {data: [health]}, allow: [eu], from: 1970-01-01T00:00:10Z, may_refuse: true}
"""
)


@pytest.mark.parametrize(
    ("start", "tenant", "by_address", "at_ms", "here"),
    [
        (Start(), "t", None, 0, True),
        (Start(), "bank", None, 0, False),
        (Start(country="IN"), "t", None, 0, False),
        (Start(country="DE", place=PARIS), "t", "IN", 0, False),  # what he claims does not help
        (Start(country="IN", place=PARIS), "t", "DE", 0, False),
        (Start(country="DE"), "t", "DE", 0, True),
        (Start(policy="agree", country="DE"), "t", "DE", 0, True),
        (Start(policy="in-only"), "t", None, 0, False),
    ],
)
def test_rules_hold_at_the_node_as_at_the_centre(
    start: Start, tenant: str, by_address: str | None, at_ms: int, here: bool
) -> None:
    rules = open_rules(bundle(world=RULED), "eu-central")
    start = msgspec.structs.replace(start, redirect=True)
    grant = KeyGrant("", tenant, ("default", "agree", "in-only"))
    decided = decide(start, "recognition", grant, Held(rules, 0.0), ROOM, by_address)
    assert isinstance(decided, Admit) == here
    if isinstance(decided, AskCentre):
        assert decided.ask.why == "not_allowed_here"


def test_a_rule_is_in_force_at_the_node_from_its_moment_on() -> None:
    """With the centre dark: the bundle says when, the node's own clock says that it is."""
    rules = open_rules(bundle(world=RULED), "ap-south")
    start = Start(place=MUMBAI, data="health")
    for at_ms in (0, 9_999):
        there = Standing("ap-south", draining=False, fits=1, at_ms=at_ms)
        assert isinstance(decide(start, "recognition", ANYTHING, Held(rules, 0.0), there), Admit)
    there = Standing("ap-south", draining=False, fits=1, at_ms=10_000)
    with pytest.raises(NotAllowed, match=r"health\.allow"):
        decide(start, "recognition", ANYTHING, Held(rules, 0.0), there)


def test_the_centre_is_told_what_the_node_saw() -> None:
    rules = open_rules(bundle(world=RULED), "eu-central")
    start = Start(country="de", data="health", redirect=True, language="EN")
    full = Standing("eu-central", draining=False, fits=0)
    decided = decide(start, "recognition", ANYTHING, Held(rules, 0.0), full, "FR")
    assert isinstance(decided, AskCentre)
    assert (decided.ask.data, decided.ask.countries) == ("health", ("de", "fr"))
    assert decided.ask.place_source == "country"


@pytest.mark.parametrize(
    ("start", "by_address", "code"),
    [
        (Start(policy="agree", country="DE"), "FR", "place_contradicted"),
        (Start(policy="agree", country="DE"), None, "place_unknown"),
        (Start(policy="agree"), "DE", "place_unknown"),
        (Start(country="ZZ"), "DE", "unsupported"),
        (Start(data="Health"), "DE", "invalid_message"),
    ],
)
def test_who_contradicts_himself_is_told_so(
    start: Start, by_address: str | None, code: str
) -> None:
    rules = open_rules(bundle(world=RULED), "eu-central")
    with pytest.raises(VoiceError) as refused:
        decide(start, "recognition", ANYTHING, Held(rules, 0.0), ROOM, by_address)
    assert refused.value.code == code


def held(rules: Rules | None, at_ms: int = 0, **more: object) -> Reserved:
    """What a node in Frankfurt answers the centre that asks for a seat."""
    fields = {
        "reservation": "r", "session": "s", "kind": "recognition", "language": "en", "model": None,
        "policy": "default", "policy_version": "p", "tenant": "t", "ttl_s": 5.0,
    }  # fmt: skip
    ask = Reserve(**(fields | more))  # type: ignore[arg-type]
    can = Abilities(("en",), (), ())
    return reserve(
        ask, Identity("n", "eu-central", "b"), Admission("n", 4), can, Held(rules, 0.0), 0.0, at_ms
    )


def test_a_node_holds_no_seat_that_its_rules_forbid_whatever_the_centre_thinks() -> None:
    rules = open_rules(bundle(world=RULED), "eu-central")
    assert held(rules).granted
    for more in ({"tenant": "bank"}, {"countries": ("in",)}, {"policy": "in-only"}):
        answer = held(rules, **more)
        assert (answer.granted, answer.code) == (False, "not_allowed")


@given(known=st.lists(st.text(max_size=4), unique=True, max_size=4), shown=st.text(max_size=4))
def test_a_key_finds_its_grant_and_no_other(known: list[str], shown: str) -> None:
    grants = tuple(KeyGrant(key_digest(key), key, ()) for key in known)
    found = Rules(bundle(keys=grants), RULES.world, RULES.policies).who(shown)
    assert (found is not None and found.tenant == shown) == (shown in known)


def test_rules_end_a_minute_before_the_bundle() -> None:
    assert Held(RULES, 940.0).in_date is RULES
    assert Held(RULES, 940.1).in_date is None


@pytest.mark.parametrize("world", ["", "regions: [", WORLD.replace("eu-central", "eu-north")])
def test_a_world_without_this_nodes_region_is_refused(world: str) -> None:
    with pytest.raises(BundleRefused):
        open_rules(bundle(world=world), "eu-central")


def test_rules_survive_the_way() -> None:
    key = Ed25519PrivateKey.generate()
    token = sign_bundle(bundle(), key)
    opened = open_rules(verify_bundle(token, key.public_key(), 500.0), "eu-central")
    assert opened.policies.of("eu-only").allowed == {"eu-central", "eu-west"}
