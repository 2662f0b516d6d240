"""A decision with every node's reason written out: made when somebody asks why, not before."""

from collections.abc import Sequence
from itertools import islice

from control_plane.placement.classes import CLASSES, stands_back
from control_plane.placement.cost import RISKS
from control_plane.placement.decision import Decision
from control_plane.placement.reasons import CODES
from heliovox.protocol.control import DecisionView, Loser


def explain(
    decision: Decision,
    control_plane: str = "",
    attempts: Sequence[str] = (),
    session: str | None = None,
    most: int | None = None,
    signed_by: str = "",
) -> DecisionView:
    """Everything about a decision, as it is served.

    Args:
        decision: as `decide` returned it.
        control_plane: who made it.
        attempts: what nodes answered when a seat was asked for, in order: `node: code`.
        session: the session's id, where a seat was got.
        signed_by: the fingerprint of the key that the policies went out to nodes under.
        most: rows of ranking and of losers each; None for all. The rest is counted as omitted.
    """
    ask, policy, winner = decision.ask, decision.policy, decision.winner
    ranking, losers = _ranking(decision, most), _losers(decision, most)
    return DecisionView(
        id=ask.id,
        at_ms=ask.at_ms,
        control_plane=control_plane,
        view=decision.view,
        kind=ask.kind,
        language=ask.language,
        model=ask.model,
        policy=policy.name,
        policy_version=policy.version,
        tenant=ask.tenant,
        place=ask.place,
        place_source=ask.place_source,
        allowed_regions=tuple(sorted(policy.allowed)),
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
        refusal=None if decision.outcome == "placed" else decision.outcome,
        data=ask.data,
        countries=ask.countries,
        rules=policy.rules,
        signed_by=signed_by,
        removed=dict(policy.removed),
        overflow_regions=tuple(sorted(policy.overflow)),
        preferred_regions=tuple(sorted(policy.preferred)),
        max_added_rtt_ms=policy.max_added_rtt_ms,
        max_added_cost_usd=policy.max_added_cost_usd,
        from_load=policy.from_load,
        home_load=_home_load(decision),
        conservative=decision.conservative,
        cost_ms_per_usd=decision.roster.atlas.world.ranking.cost_ms_per_usd,
        draw=ask.draw,
        ramp=ask.ramp,
        continues=ask.continues or None,
        because=ask.because or None,
        came_from=ask.came_from or None,
    )


def _home_load(decision: Decision) -> float | None:
    if decision.home is None:
        return None
    return round(float(decision.load[decision.roster.atlas.index[decision.home]]), 4)


def _ranking(decision: Decision, most: int | None) -> tuple[Loser, ...]:
    """Those that could be tried, with all that their places were made from."""
    ranked, roster = decision.ranked, decision.roster
    nodes = ranked.nodes[:most]
    regions = roster.region.take(nodes)
    parts_ms = ranked.parts_ms[:, :most].round(3)
    counted = parts_ms[: RISKS if decision.conservative else None].sum(axis=0).round(3)
    columns = (nodes, regions, decision.reasons.take(nodes), counted, ranked.classes,
               ranked.held, ranked.limit, ranked.room, ranked.queue, ranked.share,
               decision.load.take(regions).round(4), *parts_ms)  # fmt: skip
    rows = zip(*(column[:most].tolist() for column in columns), strict=True)
    return tuple(
        Loser(
            roster.names[node], roster.atlas.names[region], CODES[reason],
            rtt_ms, cost_ms, step_ms, queue_ms, load_ms, history_ms, price_ms,
            held, limit, fits, queue, share, stands_back(class_), class_ % CLASSES, load,
        )
        for (node, region, reason, cost_ms, class_, held, limit, fits, queue, share, load,
             rtt_ms, step_ms, queue_ms, load_ms, history_ms, price_ms) in rows
    )  # fmt: skip


def _losers(decision: Decision, most: int | None) -> tuple[Loser, ...]:
    roster, ranked = decision.roster, set(decision.ranked.nodes.tolist())
    rtt_ms = roster.atlas.rtt_ms(decision.ask.place).round(3).tolist()
    load = decision.load.round(4).tolist()
    looked_at = None if most is None else most + len(ranked)  # so many are among them for sure
    regions, reasons = roster.region[:looked_at].tolist(), decision.reasons[:looked_at].tolist()
    lost = (at for at in range(len(regions)) if at not in ranked)
    return tuple(
        Loser(
            node=roster.names[at],
            region=roster.atlas.names[regions[at]],
            reason=CODES[reasons[at]],
            rtt_ms=rtt_ms[regions[at]],
            region_load=load[regions[at]],
        )
        for at in islice(lost, most)
    )
