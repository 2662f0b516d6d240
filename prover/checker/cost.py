"""Distances and costs, from the numbers that nodes report."""

from math import atan2, cos, radians, sin, sqrt

from prover.checker.node import Node
from prover.checker.world import Region

EARTH_KM = 6371.0
LAST_MILE_MS = 4.0
KM_PER_MS = 75.0
Point = tuple[float, float, float]


def rtt_ms(lat: float, lon: float, region: Region) -> float:
    """The round trip to expect from a place to a region."""
    a, b = _point(lat, lon), _point(region.lat, region.lon)
    across = (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )
    along = sum(p * q for p, q in zip(a, b, strict=True))
    angle = atan2(sqrt(sum(p * p for p in across)), along)
    return LAST_MILE_MS + EARTH_KM * angle / KM_PER_MS


def _point(lat: float, lon: float) -> Point:
    """On a ball of radius 1."""
    north, east = radians(lat), radians(lon)
    return cos(north) * cos(east), cos(north) * sin(east), sin(north)


def parts_ms(node: Node, room: int, rtt: float, history_ms: float) -> dict[str, float]:
    """What a node costs a caller, its price aside."""
    step_ms = float(node.report["step_p95_ms"])
    taken = node.counted / max(node.counted + room, 1)
    return {
        "rtt_ms": rtt,
        "step_ms": step_ms,
        "queue_ms": step_ms * node.report["queue"] / 8,
        "load_ms": 20.0 * taken * taken,
        "history_ms": history_ms,
    }
