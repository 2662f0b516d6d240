"""Changes of the router's source, each of which makes it unlawful or wrong in one way.

They keep the checker honest: one that does not notice them proves nothing. Where the router is
changed so that one of these texts no longer stands in it, write the fault anew.
"""

from prover.planting import Fault

_DECIDE = "control_plane.placement.decide"
_SIEVES = "control_plane.placement.sieves"
_CLASSES = "control_plane.placement.classes"
_REASONS = "control_plane.placement.reasons"
_COST = "control_plane.placement.cost"
_RANKING = "control_plane.placement.ranking"
_FLEET = "control_plane.fleet.fleet"
_PAST = "control_plane.fleet.past"
_COLUMNS = "control_plane.fleet.columns"
_LOADS = "control_plane.fleet.loads"
_MODEL = "shared.regions.model"
_ZONES = "shared.regions.zones"
_CLAUSES = "shared.policy.clauses"
_COMBINING = "shared.policy.combining"
_MATCHING = "shared.policy.matching"
_CALLERS = "shared.policy.callers"

_LAWFUL = (
    Fault(
        "allowed set widened under panic",
        _DECIDE,
        """    if not left.size:
        return _refused(question, home, reasons)
""",
        """    if not left.size:
        from dataclasses import replace
        everywhere = frozenset(view.roster.atlas.names)
        if policy.allowed != everywhere:
            return decide(view, ask, replace(policy, allowed=everywhere, overflow=everywhere))
        return _refused(question, home, reasons)
""",
    ),
    Fault(
        "end date ignored",
        _MODEL,
        "return began and (self.until_ms is None or at_ms < self.until_ms)",
        "return began",
    ),
    Fault(
        "end date a moment late",
        _MODEL,
        "self.until_ms is None or at_ms < self.until_ms",
        "self.until_ms is None or at_ms <= self.until_ms",
    ),
    Fault(
        "first date ignored",
        _MODEL,
        "began = self.from_ms is None or at_ms >= self.from_ms",
        "began = True",
    ),
    Fault("zone's exclusion ignored", _ZONES, "return inside - outside\n", "return inside\n"),
    Fault("zone's exclusion inverted", _ZONES, "return inside - outside\n",
          "return inside & outside or inside\n"),
    Fault("forbid ignored", _CLAUSES, "elif name in forbidden:", "elif False:"),
    Fault(
        "any certification is enough",
        _CLAUSES,
        "lacking = by.require - region.certifications",
        "lacking = by.require if not by.require & region.certifications else frozenset()",
    ),
    Fault(
        "a rule that allows gives back",
        _COMBINING,
        "removed.setdefault(region, clause)",
        "removed = {r: c for r, c in removed.items() if rule.allow is None or r in "
        "self._by_rule[rule.name]} | {region: clause}",
    ),
    Fault("precedence reversed", _COMBINING, "reverse=True", "reverse=False"),
    Fault(
        "language of a rule matches whole words alone",
        _MATCHING,
        """return ["-".join(parts[:count]) for count in range(1, len(parts) + 1)]""",
        """return ["-".join(parts)]""",
    ),
    Fault(
        "language of a rule matches any beginning",
        _MATCHING,
        """return ["-".join(parts[:count]) for count in range(1, len(parts) + 1)]""",
        """return [language.lower()[:count] for count in range(1, len(language) + 1)]""",
    ),
    Fault(
        "country of the address ignored",
        _CALLERS,
        """            return said | found
""",
        """            return said or found
""",
    ),
    Fault(
        "contradicting countries accepted",
        _CALLERS,
        """if _must_know(said, "country", mode) != found:""",
        """if not _must_know(said, "country", mode):""",
    ),
)  # fmt: skip
"""Against what a policy says."""

_ABLE = (
    Fault(
        "stale view accepted",
        _COLUMNS,
        "state[now_s > self.heard_s + STALE_S] = State.STALE",
        "pass",
    ),
    Fault("silent node accepted", _COLUMNS, "if since.silent:", "if False:"),
    Fault(
        "conflicting boots accepted",
        _REASONS,
        "State.CONFLICT: Reason.CONFLICT,",
        "State.CONFLICT: Reason.ABLE,",
    ),
    Fault(
        "draining node accepted",
        _REASONS,
        "State.DRAINING: Reason.DRAINING,",
        "State.DRAINING: Reason.ABLE,",
    ),
    Fault(
        "unreached node accepted",
        _REASONS,
        "State.UNREACHABLE: Reason.UNREACHABLE,",
        "State.UNREACHABLE: Reason.ABLE,",
    ),
    Fault("one seat too many", _SIEVES, "room.take(who.nodes) <= 0", "room.take(who.nodes) < 0"),
    Fault(
        "seats asked for not counted",
        _COLUMNS,
        "if member.holds.waiting:",
        "if False:",
    ),
    Fault("who refused is asked again", _SIEVES, "if at is not None:", "if False:"),
    Fault("a dead region is home", _SIEVES,
          "dead = view.state.take(who.nodes) == _DEAD", "dead = who.nodes < 0"),
)  # fmt: skip
"""Against what nodes say of themselves."""

_REACH = (
    Fault(
        "home over all regions",
        _SIEVES,
        "in_regions(roster, regions))",
        "in_regions(roster, roster.region))",
    ),
    Fault(
        "preference ignored",
        _SIEVES,
        "if terms.preferred is not None and (wanted := service & terms.preferred).any():",
        "if (wanted := service & False).any():",
    ),
    Fault(
        "overflow to all that is allowed",
        _SIEVES,
        "np.where(terms.overflow, _ABLE, _NOT_OVERFLOW)",
        "np.where(terms.allowed, _ABLE, _NOT_OVERFLOW)",
    ),
    Fault(
        "added round trip off by one",
        _SIEVES,
        "> most_ms + ROUNDING",
        "> most_ms - ROUNDING",
    ),
    Fault(
        "added cost off by one",
        _SIEVES,
        "> terms.policy.max_added_cost_usd + ROUNDING",
        "> terms.policy.max_added_cost_usd - ROUNDING",
    ),
    Fault(
        "spill off by one",
        _CLASSES,
        "load[home] >= from_load - ROUNDING",
        "load[home] >= from_load + ROUNDING",
    ),
    Fault(
        "spill into loaded regions",
        _CLASSES,
        "load < from_load - ROUNDING",
        "load < from_load + ROUNDING",
    ),
    Fault("no play in loads", _LOADS, "PLAY = 0.05", "PLAY = 0.0"),
)
"""Against the limits of home and overflow."""

_RANKED = (
    Fault(
        "ramping node refused",
        _SIEVES,
        "(reasons == _ABLE) & (room.take(who.nodes) <= 0)",
        "(reasons == _ABLE) & ((room.take(who.nodes) <= 0) | (view.share.take(who.nodes) < 1))",
    ),
    Fault(
        "ramp ignored",
        _CLASSES,
        "back = view.share.take(nodes) <= ramp",
        "back = view.share.take(nodes) < 0.0",
    ),
    Fault(
        "ramp goes on after a relapse",
        _PAST,
        "self.failing, self.back_s = True, None",
        "self.failing = self.back_s is None",
    ),
    Fault("errors ignored", _FLEET, "member.past.lapsed(self._now_s, faults)", "pass"),
    Fault("past forgiven", _COST, "view.history_ms.take(nodes)", "0.0"),
    Fault(
        "money outweighs risk",
        _COST,
        "parts_ms[: RISKS if conservative else len(PARTS)]",
        "parts_ms[: len(PARTS)]",
    ),
    Fault("as good by ten", _RANKING, "MARGIN_MS = 5.0", "MARGIN_MS = 10.0"),
    Fault(
        "the dearer of two",
        _RANKING,
        "return second if score[second] < score[first] else first",
        "return second if score[second] > score[first] else first",
    ),
)
"""Against the order among those that may and can."""

FAULTS: tuple[Fault, ...] = (*_LAWFUL, *_ABLE, *_REACH, *_RANKED)
