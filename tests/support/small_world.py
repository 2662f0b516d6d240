"""A small world as text, and plain reports, for tests of the checker; nothing of the router."""

from typing import Any

REGIONS = """
regions:
  oslo:
    place: {lat: 59.91, lon: 10.75}
    time_zone: UTC
    jurisdiction: no
    hourly_cost_usd: 0.9
    certifications: [iso27001, hipaa]
  berlin:
    place: {lat: 52.52, lon: 13.40}
    time_zone: UTC
    jurisdiction: de
    hourly_cost_usd: 1.2
    certifications: [iso27001]
  paris:
    place: {lat: 48.86, lon: 2.35}
    time_zone: UTC
    jurisdiction: fr
    hourly_cost_usd: 0.8
  ashburn:
    place: {lat: 39.04, lon: -77.49}
    time_zone: UTC
    jurisdiction: us
"""
ZONES = """
zones:
  union: [de, fr]
  europe: [union, no]
  mainland: {include: [europe], exclude: [no]}
  abroad: {include: [everywhere], exclude: [europe]}
"""
OSLO = {"lat": 59.91, "lon": 10.75}


def text(policies: str, rest: str = "") -> str:
    return f"{REGIONS}{ZONES}\npolicies:\n{policies}\n{rest}"


def report(node: str, region: str, **changes: Any) -> dict[str, Any]:
    """A node with room for six of ten."""
    said = {
        "node": node, "region": region, "boot": "b1", "seq": 1, "at_ms": 0,
        "url": "wss://x", "version": "1",
        "kinds": {"recognition": {"held": 4, "fits": 6}, "synthesis": {"held": 0, "fits": 12}},
        "limit": 10, "reserved": 0, "languages": ["en", "de"], "models": ["small"],
        "voices": ["anna"], "step_p50_ms": 1.0, "step_p95_ms": 4.0, "queue": 0, "tier": "hot",
        "draining": False, "healthy": True, "goodbye": False, "faults": 0,
    }  # fmt: skip
    return said | changes


def heard(node: str, region: str, at_s: float, **changes: Any) -> dict[str, Any]:
    return {"do": "report", "at_s": at_s, "report": report(node, region, **changes)}


def rooms(held: int, fits: int) -> dict[str, dict[str, int]]:
    return {"recognition": {"held": held, "fits": fits}}
