"""The router under test: the true reader, fleet, policies and decision, fed with plain events."""

from dataclasses import dataclass
from typing import Any

import msgspec

from control_plane.fleet import Fleet, Hold
from control_plane.placement import Decision, PlacementAsk, Reason, decide, explain
from control_plane.placement.cost import PARTS
from heliovox.protocol.messages import Place
from prover.actor import Event
from shared.capacity import CapacityReport
from shared.errors import VoiceError
from shared.policy import CompiledPolicy, Facts, compile_policies
from shared.regions import World


@dataclass(frozen=True)
class Session:
    """One session that wants a place, in plain words."""

    policy: str
    tenant: str
    data: str
    language: str
    countries: tuple[str, ...]
    kind: str
    model: str | None
    lat: float
    lon: float


class Router:
    """One control plane's heart.

    Args:
        world: as the reader read it.
    """

    def __init__(self, world: World) -> None:
        self._fleet = Fleet(world, 0.0)
        self._policies = compile_policies(world)
        self._holds: dict[int, Hold | None] = {}
        self._plain: dict[int, tuple[CompiledPolicy, dict[str, Any]]] = {}

    def hear(self, event: Event) -> None:
        """Takes in what the checker hears too."""
        match event["do"]:
            case "report":
                report = msgspec.convert(event["report"], CapacityReport)
                self._fleet.reported(report, event["at_s"])
            case "reach":
                self._fleet.reached(event["node"], event["at_s"], reachable=event["reachable"])
            case "ask":
                hold = self._fleet.held_back(event["node"], event["kind"], event["at_s"])
                self._holds[event["seat"]] = hold
            case "answer":
                self._answer(self._holds[event["seat"]], event["answer"], event["taken"])

    def _answer(self, hold: Hold | None, answer: str, taken: int) -> None:
        if hold is None:
            return
        if answer == "granted":
            self._fleet.granted(hold, taken)
        elif answer == "silent":
            self._fleet.silent(hold)
        elif answer == "released":
            self._fleet.released(hold)
        else:
            self._fleet.refused(hold, answer)

    def effective(self, session: Session, at_ms: int) -> CompiledPolicy | str:
        """The policy of a session; a refusal's code where it has none."""
        facts = Facts(session.tenant, session.data, session.language, frozenset(session.countries))
        try:
            return self._policies.effective(session.policy, facts, at_ms)
        except VoiceError as error:
            return error.code

    def decide(
        self,
        session: Session,
        policy: CompiledPolicy,
        now_s: float,
        at_ms: int,
        *,
        draws: tuple[float, float],
        without: tuple[str, ...],
    ) -> Decision:
        """The decision, made on the fleet as it is now.

        Args:
            session: who asks.
            policy: in effect for him.
            now_s: when, by the fleet's clock.
            at_ms: when, by the wall's.
            draws: `draw` and `ramp` of the ask.
            without: nodes to leave out.
        """
        ask = PlacementAsk(
            id="d",
            at_ms=at_ms,
            kind=session.kind,
            language=session.language,
            model=session.model,
            place=Place(session.lat, session.lon),
            draw=draws[0],
            tenant=session.tenant,
            data=session.data,
            countries=session.countries,
            ramp=draws[1],
            without=without,
        )
        return decide(self._fleet.view(now_s), ask, policy)

    def plain(self, policy: CompiledPolicy) -> dict[str, Any]:
        """What of an effective policy the checker derives too. Remembered by identity."""
        known = self._plain.get(id(policy))
        if known is None:
            known = self._plain[id(policy)] = (policy, _plain(policy))
        return known[1]


def _plain(policy: CompiledPolicy) -> dict[str, Any]:
    return {
        "allowed": policy.allowed,
        "removed": dict(policy.removed),
        "preferred": policy.preferred,
        "overflow": policy.overflow,
        "from_load": policy.from_load,
        "max_added_rtt_ms": policy.max_added_rtt_ms,
        "max_added_cost_usd": policy.max_added_cost_usd,
        "when_full": policy.when_full,
        "wait_s": policy.wait_s,
        "keep": {each.what: (each.regions, each.days) for each in policy.keep},
        "restricted": policy.restricted,
        "after_expiry_s": policy.after_expiry_s,
        "when_forbidden": policy.when_forbidden,
        "recovery_s": policy.recovery_s,
        "ledger": policy.ledger,
        "rules": policy.rules,
    }


def answer_of(decision: Decision, *, explained: bool) -> dict[str, Any]:
    """A decision in plain words: as it is explained to people, or as it is itself."""
    if explained:
        return _explained(decision)
    winner, roster = decision.winner, decision.roster
    codes = [_CODES[reason] for reason in decision.reasons.tolist()]
    return {
        "outcome": decision.outcome,
        "node": winner and winner.node,
        "region": winner and winner.region,
        "home": decision.home,
        "codes": decision.codes,
        "reasons": dict(zip(roster.names, codes, strict=True)),
        "ranking": _ranking(decision),
    }


def _explained(decision: Decision) -> dict[str, Any]:
    view = explain(decision)
    rows = (*view.ranking, *view.losers)
    reasons = {row.node: row.reason for row in rows}
    if len(reasons) != len(rows) or view.omitted:
        reasons["everybody"] = "not told of once"  # which the checker will not find to be so
    return {
        "outcome": decision.outcome,
        "node": view.node,
        "region": view.region,
        "home": view.home_region,
        "codes": view.reasons,
        "reasons": reasons,
        "ranking": msgspec.to_builtins(view.ranking),
    }


_CODES = tuple(reason.code for reason in Reason)


def _ranking(decision: Decision) -> list[dict[str, Any]]:
    roster, ranked = decision.roster, decision.ranked
    nodes, columns = ranked.nodes.tolist(), ranked.parts_ms.T.tolist()
    rows = []
    for node, parts in zip(nodes, columns, strict=True):
        row = dict(zip(PARTS, parts, strict=True))
        row["node"], row["region"] = roster.names[node], roster.region_of(node)
        rows.append(row)
    return rows
