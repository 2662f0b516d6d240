"""Who gets the session. Policy before distance before load; every node's reason is kept.

Pure: equal views, asks and policies give equal decisions. A decision is worked out on columns, a
sieve at a time, so that a thousand nodes cost a fraction of a millisecond.
"""

from dataclasses import dataclass

import numpy as np

from control_plane.fleet.atlas import Mask
from control_plane.fleet.roster import I32, U8
from control_plane.fleet.states import State
from control_plane.fleet.view import F64, FleetView
from control_plane.placement import sieves
from control_plane.placement.ask import PlacementAsk
from control_plane.placement.codes import placed_codes, refused
from control_plane.placement.decision import Candidate, Decision
from control_plane.placement.ranking import Ranking, rank
from control_plane.placement.reasons import Reason
from shared.policy import CompiledPolicy

MOST_CANDIDATES = 8
"""The winner and those to try after it."""
MOST_RANKED = 64
"""Nodes whose cost is kept with the decision."""


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    """What a decision is made from, and two columns that every step looks at."""

    view: FleetView
    ask: PlacementAsk
    policy: CompiledPolicy
    rtt_ms: F64
    """By region."""
    room: I32
    """By node."""


def decide(view: FleetView, ask: PlacementAsk, policy: CompiledPolicy) -> Decision:
    """The best node that may and can take the session, or why there is none.

    Args:
        view: the fleet as it is now.
        ask: the session.
        policy: its `allowed` regions are the only ones that anything here ever chooses from.

    Raises:
        ValueError: the ask's draw is not from 0 up to 1.
    """
    if not 0.0 <= ask.draw < 1.0:
        raise ValueError(f"draw={ask.draw} is not from 0 up to 1")
    roster = view.roster
    question = _Question(
        view, ask, policy, roster.atlas.rtt_ms(ask.place), sieves.fits(view, ask.kind)
    )
    offered = sieves.offered(roster, ask, policy)
    alive: Mask = view.state != State.DEAD
    home = sieves.home(sieves.in_service(roster, alive & (offered == Reason.ABLE)), question.rtt_ms)
    reasons = sieves.able(view, ask, question.room, offered)
    if home is None:
        return _refused(question, None, reasons)
    reasons = sieves.reach(view, policy, home, question.rtt_ms, reasons)
    ranking = rank(view, reasons, home, question.rtt_ms, question.room, ask.draw)
    if not ranking.nodes.size:
        return _refused(question, home, reasons)
    return _placed(question, home, ranking, reasons)


def _placed(question: _Question, home: int, ranking: Ranking, reasons: U8) -> Decision:
    view = question.view
    codes = placed_codes(view, question.policy, home, question.rtt_ms, ranking, reasons)
    lost = Reason.OVERFLOW_NOT_NEEDED if ranking.at_home else Reason.RANKED_LOWER
    reasons[ranking.nodes[ranking.at_home :]] = lost
    reasons[ranking.nodes[: ranking.at_home]] = Reason.RANKED_LOWER
    reasons[ranking.nodes[0]] = Reason.WINNER
    return Decision(
        ask=question.ask,
        policy=question.policy,
        roster=view.roster,
        view=view.number,
        outcome="placed",
        home=view.roster.atlas.names[home],
        codes=codes,
        candidates=_candidates(question, ranking),
        reasons=reasons,
        ranked=ranking.nodes[:MOST_RANKED].copy(),
        parts_ms=ranking.parts_ms[:, :MOST_RANKED].astype(np.float32),
    )


def _candidates(question: _Question, ranking: Ranking) -> tuple[Candidate, ...]:
    nodes = ranking.nodes[:MOST_CANDIDATES].tolist()
    parts_ms = ranking.parts_ms[:, :MOST_CANDIDATES].T.tolist()
    return tuple(_candidate(question, at, parts) for at, parts in zip(nodes, parts_ms, strict=True))


def _candidate(question: _Question, at: int, parts_ms: list[float]) -> Candidate:
    roster = question.view.roster
    rtt_ms, step_ms, queue_ms, load_ms = parts_ms
    return Candidate(
        node=roster.names[at],
        region=roster.region_of(at),
        url=roster.urls[at],
        boot=roster.boots[at],
        rtt_ms=rtt_ms,
        step_ms=step_ms,
        queue_ms=queue_ms,
        load_ms=load_ms,
        fits=int(question.room[at]),
    )


def _refused(question: _Question, home: int | None, reasons: U8) -> Decision:
    view = question.view
    outcome, codes = refused(view, reasons)
    return Decision(
        ask=question.ask,
        policy=question.policy,
        roster=view.roster,
        view=view.number,
        outcome=outcome,
        home=None if home is None else view.roster.atlas.names[home],
        codes=codes,
        candidates=(),
        reasons=reasons,
        ranked=np.zeros(0, np.int32),
        parts_ms=np.zeros((4, 0), np.float32),
    )
