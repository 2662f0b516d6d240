import ipaddress
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliovox.protocol.messages import Place
from shared.countries import country_places
from shared.errors import InvalidMessage, Unsupported, VoiceError
from shared.geography import country_of, country_place, expected_rtt_ms, locate, rtt_ms

PARIS, FRANKFURT, SYDNEY = Place(48.85, 2.35), Place(50.11, 8.68), Place(-33.87, 151.21)
PLACES = st.builds(Place, st.floats(-90, 90), st.floats(-180, 180))


def test_known_distances_come_out() -> None:
    """Paris to Frankfurt is 478 km, to Sydney 16,960 km, from pole to pole half the Earth."""
    assert rtt_ms(PARIS, FRANKFURT) == pytest.approx(4 + 478 / 75, abs=0.1)
    assert rtt_ms(PARIS, SYDNEY) == pytest.approx(4 + 16_960 / 75, abs=1)
    assert rtt_ms(Place(90, 0), Place(-90, 77)) == pytest.approx(4 + math.pi * 6371 / 75)


@given(PLACES, PLACES)
def test_a_round_trip_is_the_same_both_ways_and_bounded(a: Place, b: Place) -> None:
    assert rtt_ms(a, b) == pytest.approx(rtt_ms(b, a))
    assert rtt_ms(a, a) == 4.0
    assert 4.0 <= rtt_ms(a, b) <= 4 + math.pi * 6371 / 75 + 1e-6


def test_the_far_side_of_the_earth_is_no_further_than_that() -> None:
    """Rounded, these two are further apart than any two points on a sphere are."""
    far = rtt_ms(Place(29.25, -74.11), Place(-29.25, 105.89))
    assert far == pytest.approx(4 + math.pi * 6371 / 75)


def test_the_date_line_is_no_wall() -> None:
    assert rtt_ms(Place(0, 179.9), Place(0, -179.9)) < 5


@given(st.lists(PLACES, max_size=4), st.lists(PLACES, max_size=4))
def test_a_table_of_round_trips_holds_what_each_pair_has(
    callers: list[Place], nodes: list[Place]
) -> None:
    table = expected_rtt_ms(_array(callers), _array(nodes))
    assert table.shape == (len(callers), len(nodes))
    for row, caller in zip(table, callers, strict=True):
        assert row == pytest.approx([rtt_ms(caller, node) for node in nodes])


@pytest.mark.parametrize("lat", [90.5, -91.0, math.nan, math.inf])
def test_a_latitude_that_is_nowhere_is_refused(lat: float) -> None:
    good, bad = np.zeros((1, 2)), np.array([[0.0, 0.0], [lat, 0.0]])
    for callers, nodes in ((bad, good), (good, bad)):
        with pytest.raises(ValueError, match="latitude"):
            expected_rtt_ms(callers, nodes)


def _array(places: list[Place]) -> np.ndarray:
    return np.array([(place.lat, place.lon) for place in places]).reshape(-1, 2)


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("8.8.8.8", "US"),
        ("2001:4860:4860::8888", "US"),
        ("::ffff:8.8.8.8", "US"),  # as a socket that listens for both families has it
        ("2002:808:808::1", "US"),
        ("64:ff9b::808:808", "US"),
        ("10.0.0.1", None),
        ("192.168.1.1", None),
        ("127.0.0.1", None),
        ("::1", None),
        ("fe80::1%eth0", None),
        ("::ffff:10.0.0.1", None),
        ("224.0.0.1", None),
        ("255.255.255.255", None),
    ],
)
def test_an_address_tells_its_country_or_nothing(address: str, country: str | None) -> None:
    assert country_of(address) == country


@pytest.mark.parametrize(
    "address",
    ["", "x", "1.1.1", "999.1.1.1", "8.8.8.8:80", "[::1]", "8.8.8.8/8", "a\0b", " 8.8.8.8"],
)
def test_what_is_no_address_is_named(address: str) -> None:
    with pytest.raises(InvalidMessage) as refused:
        country_of(address)
    assert (refused.value.field, refused.value.value) == ("address", address)
    assert refused.value.remedy


@given(st.one_of(st.ip_addresses().map(str), st.text(max_size=50)))
def test_every_address_has_a_place_nowhere_or_a_typed_error(address: str) -> None:
    try:
        country = country_of(address)
    except InvalidMessage:
        with pytest.raises(ValueError, match="IPv4 or IPv6"):
            ipaddress.ip_address(address)
    else:
        assert country is None or country_place(country)


def test_every_country_is_there_once_and_on_the_earth() -> None:
    assert len(country_places()) == 249 + 1  # ISO 3166-1, and Kosovo
    for code, place in country_places().items():
        assert code.isascii()
        assert code.isupper()
        assert len(code) == 2
        assert abs(place.lat) <= 90
        assert abs(place.lon) <= 180


@pytest.mark.parametrize(
    ("country", "city"),
    [
        ("FR", PARIS),
        ("de", FRANKFURT),
        ("IN", Place(19.08, 72.88)),
        ("BR", Place(-23.55, -46.63)),
        ("SA", Place(24.71, 46.68)),
        ("JP", Place(35.68, 139.69)),
        ("NZ", Place(-36.85, 174.76)),
        ("AR", Place(-34.6, -58.4)),
        ("CA", Place(43.65, -79.38)),
    ],
)
def test_a_country_is_near_its_large_city(country: str, city: Place) -> None:
    """Within 700 km. A sign that was lost, or latitude for longitude, would be seen here."""
    assert rtt_ms(country_place(country), city) < 4 + 700 / 75


@pytest.mark.parametrize("country", ["", "X", "ZZ", "FRA", "EU", "\u0131n", "F R", "\0\0"])
def test_an_unknown_country_is_named(country: str) -> None:
    with pytest.raises(Unsupported) as refused:
        country_place(country)
    assert (refused.value.field, refused.value.value) == ("country", country)
    assert refused.value.remedy


def test_what_is_given_outranks_what_is_guessed() -> None:
    assert locate(PARIS, "BR", "8.8.8.8", SYDNEY) == (PARIS, "given")
    assert locate(None, "BR", "8.8.8.8", SYDNEY) == (country_place("BR"), "country")
    assert locate(None, None, "8.8.8.8", SYDNEY) == (country_place("US"), "address")
    assert locate(None, None, "10.0.0.1", SYDNEY) == (SYDNEY, "node")
    assert locate(None, None, None, SYDNEY) == (SYDNEY, "node")


@pytest.mark.parametrize(
    ("place", "country", "address", "field"),
    [
        (Place(91, 0), None, None, "place.lat"),
        (Place(0, math.nan), None, None, "place.lon"),
        (PARIS, "ZZ", None, "country"),
        (PARIS, "FR", "nonsense", "address"),
        (None, None, "10.0.0.1", "place"),
        (None, None, None, "place"),
    ],
)
def test_a_mistake_is_named_even_where_it_is_outranked(
    place: Place | None, country: str | None, address: str | None, field: str
) -> None:
    with pytest.raises(VoiceError) as refused:
        locate(place, country, address, None)
    assert refused.value.field == field
    assert refused.value.remedy
