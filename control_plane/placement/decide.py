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
from control_plane.placement.cost import PARTS
from control_plane.placement.decision import Decision
from control_plane.placement.ranking import Ranking, rank
from control_plane.placement.reasons import Reason
from shared.policy import CompiledPolicy

MOST_RANKED = 64
"""Nodes whose cost is kept with the decision."""
_ABLE, _DEAD = np.uint8(Reason.ABLE), np.uint8(State.DEAD)
_WINNER, _LOWER = np.uint8(Reason.WINNER), np.uint8(Reason.RANKED_LOWER)
_NOT_NEEDED = np.uint8(Reason.OVERFLOW_NOT_NEEDED)


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
    alive: Mask = view.state != _DEAD
    home = sieves.home(sieves.in_service(roster, alive & (offered == _ABLE)), question.rtt_ms)
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
    np.putmask(reasons, reasons == _ABLE, _NOT_NEEDED if ranking.at_home else _LOWER)
    reasons[ranking.nodes[: ranking.at_home]] = _LOWER
    reasons[ranking.nodes[0]] = _WINNER
    ranked = ranking.nodes[:MOST_RANKED].astype(np.int32)
    return Decision(
        ask=question.ask,
        policy=question.policy,
        roster=view.roster,
        view=view.number,
        outcome="placed",
        home=view.roster.atlas.names[home],
        codes=codes,
        reasons=reasons,
        ranked=ranked,
        parts_ms=ranking.parts_ms[:, :MOST_RANKED].copy(),
        room=question.room[ranked],
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
        reasons=reasons,
        ranked=np.zeros(0, np.int32),
        parts_ms=np.zeros((len(PARTS), 0)),
        room=np.zeros(0, np.int32),
    )
