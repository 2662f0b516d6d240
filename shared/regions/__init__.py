"""The world as operators write it down: regions, zones and policies (`regions.yaml`)."""

from shared.regions.model import (
    EVERYWHERE,
    Overflow,
    Policy,
    Region,
    Tiers,
    WhenFull,
    World,
)

__all__ = ["EVERYWHERE", "Overflow", "Policy", "Region", "Tiers", "WhenFull", "World"]
