"""A decision with every node's reason written out: made when somebody asks why, not before."""

from collections.abc import Sequence
from itertools import islice

from control_plane.placement.decision import Decision
from control_plane.placement.reasons import Reason
from heliovox.protocol.control import DecisionView, Loser


def explain(
    decision: Decision,
    control_plane: str = "",
    attempts: Sequence[str] = (),
    session: str | None = None,
    most: int | None = None,
) -> DecisionView:
    """Everything about a decision, as it is served.

    Args:
        decision: as `decide` returned it.
        control_plane: who made it.
        attempts: what nodes answered when a seat was asked for, in order: `node: code`.
        session: the session's id, where a seat was got.
        most: rows of ranking and of losers each; None for all. The rest is counted as omitted.
    """
    ask, winner = decision.ask, decision.winner
    ranking, losers = _ranking(decision, most), _losers(decision, most)
    return DecisionView(
        id=ask.id,
        at_ms=ask.at_ms,
        control_plane=control_plane,
        view=decision.view,
        kind=ask.kind,
        language=ask.language,
        model=ask.model,
        policy=decision.policy.name,
        policy_version=decision.policy.version,
        tenant=ask.tenant,
        place=ask.place,
        place_source=ask.place_source,
        allowed_regions=tuple(sorted(decision.policy.allowed)),
        home_region=decision.home,
        outcome="refused" if winner is None else "placed",
        node=None if winner is None else winner.node,
        region=None if winner is None else winner.region,
        reasons=decision.codes,
        ranking=ranking,
        losers=losers,
        attempts=tuple(attempts),
        session=session,
        omitted=len(decision.reasons) - len(ranking) - len(losers),
    )


def _ranking(decision: Decision, most: int | None) -> tuple[Loser, ...]:
    rows = decision.parts_ms.round(3).T.tolist()[:most]
    ranked = decision.ranked.tolist()[:most]
    return tuple(
        _row(decision, at, parts[0], parts) for at, parts in zip(ranked, rows, strict=True)
    )


def _losers(decision: Decision, most: int | None) -> tuple[Loser, ...]:
    roster, ranked = decision.roster, set(decision.ranked.tolist())
    rtt_ms = roster.atlas.rtt_ms(decision.ask.place)[roster.region].round(3).tolist()
    lost = (at for at in range(len(rtt_ms)) if at not in ranked)
    return tuple(_row(decision, at, rtt_ms[at]) for at in islice(lost, most))


def _row(decision: Decision, at: int, rtt_ms: float, parts: Sequence[float] | None = None) -> Loser:
    roster = decision.roster
    return Loser(
        node=roster.names[at],
        region=roster.region_of(at),
        reason=Reason(int(decision.reasons[at])).code,
        rtt_ms=rtt_ms,
        cost_ms=None if parts is None else round(sum(parts), 3),
        step_ms=None if parts is None else parts[1],
        queue_ms=None if parts is None else parts[2],
        load_ms=None if parts is None else parts[3],
    )
