"""What a caller asks for becomes an order: which facts count, and which lies do not."""

from typing import Any

import pytest

from control_plane.orders import Order, order_of_node, order_of_request
from control_plane.tenants.keys import KeyRecord
from control_plane.world import WorldNow
from heliovox.protocol.control import SessionRequest
from heliovox.protocol.messages import Place
from shared.errors import Forbidden, InvalidMessage, VoiceError
from shared.exchange import NodeAsk

GERMANY, FRANCE, PRIVATE = "91.0.0.1", "90.1.1.1", "10.0.0.1"
TEXT = """
regions:
  eu-central: {place: {lat: 50, lon: 8}, time_zone: UTC, jurisdiction: de, tiers: {hot: 1}}
  us-east: {place: {lat: 39, lon: -77}, time_zone: UTC, jurisdiction: us, tiers: {hot: 1}}
zones:
  eu: [de]
policies:
  default: {allow: [everywhere], overflow: {zones: [everywhere]}}
  claim: {allow: [everywhere], overflow: {zones: [everywhere]}, country_from: claim}
  address: {allow: [everywhere], overflow: {zones: [everywhere]}, country_from: address}
  agree: {allow: [everywhere], overflow: {zones: [everywhere]}, country_from: agree}
  dated: {allow: [everywhere], overflow: {zones: [everywhere]}, from: 2026-01-01, until: 2027-01-01}
rules:
  french: {when: {countries: [fr]}, allow: [eu]}
  bank: {when: {tenants: [bank]}, allow: [eu]}
  health: {when: {data: [health]}, allow: [eu], from: 2026-01-01}
"""
WORLD = WorldNow(TEXT, "f")
Y2026_MS = 1_767_225_600_000
ALL, EU = {"eu-central", "us-east"}, {"eu-central"}


def order(tenant: str = "t", own: str | None = None, at_ms: int = Y2026_MS, **asked: Any) -> Order:
    who = KeyRecord("k", tenant, ("caller",), ("*",), "", "h")
    return order_of_request(SessionRequest(**asked), who, WORLD, own, Place(0, 0), at_ms)


@pytest.mark.parametrize(
    ("policy", "country", "own", "address", "outcome"),
    [
        ("claim", "de", FRANCE, None, ALL),  # he lies, and the policy goes by what he says
        ("claim", None, FRANCE, None, EU),
        ("address", "de", FRANCE, None, EU),  # he lies, and it does not matter
        ("address", "fr", GERMANY, None, ALL),
        ("address", "fr", PRIVATE, None, "place_unknown"),
        ("default", "de", FRANCE, None, EU),  # whichever is the lie, the rule for it holds
        ("default", "fr", GERMANY, None, EU),
        ("default", "de", GERMANY, None, ALL),
        ("default", None, PRIVATE, None, ALL),
        ("agree", "fr", FRANCE, None, EU),
        ("agree", "de", FRANCE, None, "place_contradicted"),
        ("agree", None, FRANCE, None, "place_unknown"),
        ("agree", "fr", PRIVATE, None, "place_unknown"),
        ("agree", "de", FRANCE, GERMANY, ALL),  # a server asks for him: its own address is nothing
        ("address", None, FRANCE, GERMANY, ALL),
        ("address", None, GERMANY, FRANCE, EU),
        ("address", None, FRANCE, PRIVATE, "place_unknown"),
    ],
)
def test_where_callers_count_as_being_is_as_the_policy_says(
    policy: str, country: str | None, own: str, address: str | None, outcome: set[str] | str
) -> None:
    asked = {"policy": policy, "country": country, "address": address}
    if isinstance(outcome, set):
        assert order(own=own, **asked).policy.allowed == outcome
        return
    with pytest.raises(Forbidden) as refused:
        order(own=own, **asked)
    assert refused.value.code == outcome


def test_coordinates_say_how_far_and_never_which_law() -> None:
    found = order(own=FRANCE, country="de", place=Place(38.9, -77.0))
    assert found.at.place == Place(38.9, -77.0)
    assert found.facts.countries == {"fr", "de"}


def test_rules_look_at_whose_key_it_is_and_at_what_he_says_of_the_data() -> None:
    assert order().policy.allowed == ALL
    assert order("bank").policy.rules == ("bank",)
    assert order(data="health").policy.rules == ("health",)
    assert order("bank", data="health").policy.removed == (("us-east", "bank.allow"),)
    assert order(data="health", at_ms=Y2026_MS - 1).policy.rules == ()
    for data in ("", "Health", "a b", "x" * 64):
        with pytest.raises(InvalidMessage) as refused:
            order(data=data)
        assert refused.value.field == "data"


@pytest.mark.parametrize("at_ms", [Y2026_MS, 1_798_761_599_999])
def test_a_policy_is_used_in_its_time(at_ms: int) -> None:
    assert order(policy="dated", at_ms=at_ms).policy.name == "dated"


@pytest.mark.parametrize("at_ms", [Y2026_MS - 1, 1_798_761_600_000])
def test_and_refused_outside_of_it(at_ms: int) -> None:
    with pytest.raises(VoiceError) as refused:
        order(policy="dated", at_ms=at_ms)
    assert (refused.value.code, refused.value.http_status) == ("policy_not_in_effect", 403)


def ask(**more: Any) -> NodeAsk:
    said: dict[str, Any] = {
        "kind": "recognition", "language": "en", "model": None, "policy": "default",
        "tenant": "t", "place": None,
    }  # fmt: skip
    return NodeAsk(**(said | more))


def test_a_node_has_seen_who_the_caller_is_and_the_centre_decides_the_same() -> None:
    def allowed(**more: Any) -> frozenset[str]:
        return order_of_node(ask(**more), "eu-central", WORLD, Y2026_MS).policy.allowed

    assert allowed() == ALL
    assert allowed(countries=("fr",)) == allowed(tenant="bank") == allowed(data="health") == EU
    for wrong in ({"countries": ("zz",)}, {"data": "A B"}):
        with pytest.raises(VoiceError):
            allowed(**wrong)


def test_a_node_that_rules_exclude_may_not_pass_anything_on() -> None:
    assert order_of_node(ask(relay=True), "us-east", WORLD, Y2026_MS).relayed_by == "us-east"
    with pytest.raises(Forbidden, match="us-east"):
        order_of_node(ask(relay=True, data="health"), "us-east", WORLD, Y2026_MS)
