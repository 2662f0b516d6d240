"""Whether the rules of a world make sense together, and with its policies. Pure."""

from collections.abc import Iterator

from shared.policy.reachable import MOST, TooManyCombinations, empty_combinations
from shared.policy.ties import ties
from shared.regions.finding import Declared, Finding, listed, zone_lists
from shared.regions.model import Policy, Rule, World
from shared.regions.problems import plain, shown

MOST_FINDINGS = 20
"""Of one kind: a mistake in one rule can show in thousands of combinations."""


def findings(world: World, declared: Declared) -> Iterator[Finding]:
    """Everything there is to say of rules."""
    for rule in world.rules.values():
        yield from _names(rule, declared)
    if declared.complete:
        yield from _overlapping(world)
    if declared.complete and declared.whole and _all_zones_known(world):
        yield from _unplaceable(world)


def _names(rule: Rule, declared: Declared) -> Iterator[Finding]:
    if rule.name in declared.policies:
        message = "is the name of a policy too, so nobody could tell whose clause it is"
        yield Finding(("rules", rule.name), message, "rename the rule")
    for name in sorted(rule.when.policies or ()):
        if name not in declared.policies:
            path, known = ("rules", rule.name, "when", "policies"), listed(declared.policies)
            message = f"there is no policy {shown(name)}"
            yield Finding(path, message, f"write it under policies, or use one of: {known}")


def _overlapping(world: World) -> Iterator[Finding]:
    for number, tie in enumerate(ties(world)):
        if number == MOST_FINDINGS:
            return
        setting = ".".join(tie.setting)
        message = (
            f"overlapping precedence: sets {setting} otherwise than rule {plain(tie.first)}, "
            "neither is more precise, and both can be about one session"
        )
        remedy = (
            "let both say the same, part their conditions or dates, or make one more precise: "
            "tenants outrank data, data languages, languages countries, countries policies"
        )
        yield Finding(("rules", tie.second, *tie.setting), message, remedy)


def _unplaceable(world: World) -> Iterator[Finding]:
    try:
        found = empty_combinations(world)
    except TooManyCombinations:
        message = f"policies and rules can meet in more than {MOST:,} ways, too many to look at"
        yield Finding(("rules",), message, "use fewer rules, or rules for fewer things at once")
        return
    for empty in [one for one in found if one.rules][:MOST_FINDINGS]:
        names = ", ".join(map(plain, empty.rules))
        message = f"policy {plain(empty.policy)} and {names} together leave no region"
        remedy = "let one take away less; if refusing is meant, write may_refuse: true"
        yield Finding(("rules", empty.rules[-1]), message, remedy)


def _all_zones_known(world: World) -> bool:
    parts: list[Policy | Rule] = [*world.policies.values(), *world.rules.values()]
    return all(
        zone in world.zones for part in parts for _, zones in zone_lists(part) for zone in zones
    )
