"""How seats are shared among those who wait, out of YAML nodes."""

import re
from types import MappingProxyType

from shared.regions.model import WaitingRules
from shared.regions.problems import shown
from shared.regions.reading import Item, Reader
from shared.regions.words import TENANT, keys_of

MOST_WEIGHT = 100


def waiting(read: Reader, item: Item | None) -> WaitingRules:
    """The section; what is wrong in it is refused, and counts as not written."""
    if item is None:
        return WaitingRules()
    entries = read.section(item, keys_of(WaitingRules))
    return WaitingRules(MappingProxyType(_weights(read, entries.get("weights"))))


def _weights(read: Reader, item: Item | None) -> dict[str, int]:
    if item is None:
        return {}
    entries = read.mapping(item)
    if entries == {}:
        read.refuse(item.path, "is empty", "name at least one tenant, or leave it out")
    weights: dict[str, int] = {}
    for tenant, of in (entries or {}).items():
        if not re.fullmatch(TENANT, tenant):
            remedy = "use a name as keys have it, such as acme"
            read.refuse(of.path, f"{shown(tenant)} is no tenant", remedy)
        elif (weight := read.whole(of, MOST_WEIGHT)) is not None:
            weights[tenant] = _at_least_one(read, of, weight)
    return weights


def _at_least_one(read: Reader, item: Item, weight: int) -> int:
    if weight < 1:
        remedy = f"use a whole number from 1 to {MOST_WEIGHT}"
        read.refuse(item.path, "0 would never get a seat", remedy)
    return max(1, weight)
