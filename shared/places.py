"""Places that callers and files name, checked once."""

import math

from heliovox.protocol.messages import Place
from shared.errors import InvalidMessage

COARSE_DIGITS = 2
"""Of degrees: within a kilometre, 0.02 ms of a round trip. Decisions need nobody's doorstep."""


def coarse(place: Place) -> Place:
    """The place as decisions and their records know it."""
    return Place(round(place.lat, COARSE_DIGITS), round(place.lon, COARSE_DIGITS))


def check_place(place: Place, field: str = "place") -> Place:
    """The place itself. Raises InvalidMessage for one that is nowhere on the Earth."""
    for name, value, most in (("lat", place.lat, 90.0), ("lon", place.lon, 180.0)):
        if not (math.isfinite(value) and abs(value) <= most):
            raise InvalidMessage(
                f"{name} {value} is out of range",
                field=f"{field}.{name}",
                value=value,
                remedy=f"use {-most:g} to {most:g} degrees",
            )
    return place
