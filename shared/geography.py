"""Where callers are, and how long a round trip to them takes."""

import functools
import ipaddress
import math
from typing import NamedTuple

import iptocc
import numpy as np
from numpy.typing import NDArray

from heliovox.protocol.messages import Place
from shared.countries import country_places
from shared.errors import InvalidMessage, Unsupported
from shared.exchange import PlaceSource
from shared.places import check_place

F64 = NDArray[np.float64]

EARTH_KM = 6371.0
FIXED_MS = 4.0
"""Of every round trip: the last mile and the machines at both ends."""
KM_PER_MS = 75.0
_DIAMETER_MS = 2 * EARTH_KM / KM_PER_MS
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address behind NAT64


class Located(NamedTuple):
    """Where a caller is taken to be, and how that is known."""

    place: Place
    source: PlaceSource


Spot = tuple[float, float, float]
"""A place as a point on a sphere of radius 1: what every distance from it is worked out from."""


def spot(place: Place) -> Spot:
    """The place, worked out once for those who ask for many round trips."""
    lat, lon = math.radians(place.lat), math.radians(place.lon)
    to_axis = math.cos(lat)
    return to_axis * math.cos(lon), to_axis * math.sin(lon), math.sin(lat)


def rtt_ms(a: Place, b: Place) -> float:
    """The round trip to expect between two places, as `expected_rtt_ms` has it."""
    return rtt_between_ms(spot(a), spot(b))


def rtt_between_ms(a: Spot, b: Spot) -> float:
    """`rtt_ms`, to the last digit: centre and nodes have to agree which region is the nearest.

    By the chord: a third of the work of the haversine where both ends are known as spots.
    """
    half = math.dist(a, b) / 2
    return FIXED_MS + _DIAMETER_MS * math.asin(half if half < 1.0 else 1.0)  # noqa: FURB136 a call is dear


def expected_rtt_ms(callers: F64, nodes: F64) -> F64:
    """Round trip to expect between places, until one was measured.

    Args:
        callers: shape (c, 2), degrees of latitude and longitude.
        nodes: shape (n, 2), likewise.

    Returns:
        Shape (c, n), milliseconds: 4 ms, and 1 ms for every 75 km.

    Raises:
        ValueError: a latitude beyond 90 degrees, or no number at all.

    Source: haversine on a 6371 km sphere. 75 km/ms is three quarters of what light in fibre makes
    of a straight line there and back (100 km/ms); superfly/corrosion uses the same two numbers
    for its simulated regions and finds them within 15 % (crates/plum-foca/tests/sim.rs).
    """
    for name, places in (("callers", callers), ("nodes", nodes)):
        if not np.all(np.abs(places[:, 0]) <= 90) or not np.all(np.isfinite(places)):
            raise ValueError(f"{name}: a latitude is not within -90 to 90 degrees")
    caller, node = np.radians(callers)[:, None, :], np.radians(nodes)[None, :, :]
    north, east = np.moveaxis(np.sin((node - caller) / 2) ** 2, -1, 0)
    haversine = north + np.cos(caller[..., 0]) * np.cos(node[..., 0]) * east
    angle = 2 * np.arcsin(np.sqrt(np.minimum(1.0, haversine)))
    rtt: F64 = FIXED_MS + EARTH_KM * angle / KM_PER_MS
    return rtt


@functools.lru_cache(4096)  # the table takes 15 us, and one order asks for rules and for place
def country_of(address: str) -> str | None:
    """The country that an IP address is registered in: ISO 3166, two letters in upper case.

    IPv6 addresses that carry an IPv4 address (mapped, 6to4, NAT64) count as that. None for private,
    local and unassigned ones, and for those registered for no one country.

    Raises:
        InvalidMessage: it is no IP address.
    """
    code = iptocc.country_code(str(_plain(address)))
    return code if code in country_places() else None


def known_country(address: str | None) -> str | None:
    """Likewise, and None for what is no address, such as the name of a local socket."""
    try:
        return None if address is None else country_of(address)
    except InvalidMessage:
        return None


def _plain(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError as error:
        raise InvalidMessage(
            "this is no IP address",
            field="address",
            value=address,
            remedy="give an IPv4 or IPv6 address without a port, or leave it out",
        ) from error
    if isinstance(parsed, ipaddress.IPv4Address):
        return parsed
    if parsed in _TRANSLATED:
        return ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
    return parsed.ipv4_mapped or parsed.sixtofour or parsed


def country_place(country: str) -> Place:
    """About where a country's people live (`shared.countries` says how coarsely).

    Args:
        country: ISO 3166, two letters of any case.

    Raises:
        Unsupported: there is no such country.
    """
    place = country_places().get(country.upper() if country.isascii() else country)
    if place is None:
        raise Unsupported(
            "there is no such country",
            field="country",
            value=country,
            remedy="use an ISO 3166 code of two letters, such as FR, or give coordinates",
        )
    return place


def locate(
    place: Place | None, country: str | None, address: str | None, fallback: Place | None
) -> Located:
    """Where a caller is: his coordinates before his country before his address before `fallback`.

    All that is given is checked, also what is outranked: a mistake is not passed over in silence.

    Raises:
        InvalidMessage: coordinates that are nowhere, no IP address, or nothing to go by at all.
        Unsupported: an unknown country.
    """
    by_country = None if country is None else country_place(country)
    found = None if address is None else country_of(address)
    if place is not None:
        return Located(check_place(place), "given")
    if by_country is not None:
        return Located(by_country, "country")
    if found is not None:
        return Located(country_place(found), "address")
    if fallback is not None:
        return Located(fallback, "node")
    raise InvalidMessage(
        "nothing says where the caller is",
        field="place",
        remedy="give a place, a country, or a public IP address",
    )
