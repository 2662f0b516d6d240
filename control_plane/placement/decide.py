"""Who gets the session. Policy before distance before load; every node's reason is kept.

Pure: equal views, asks and policies give equal decisions. A decision is worked out on columns, a
sieve at a time, so that a thousand nodes cost a fraction of a millisecond.
"""

import msgspec
import numpy as np

from control_plane.fleet.atlas import Terms
from control_plane.fleet.roster import I32, U8, Index
from control_plane.fleet.view import F64, FleetView
from control_plane.placement import sieves
from control_plane.placement.ask import PlacementAsk
from control_plane.placement.classes import classes_of, spills, stand_back
from control_plane.placement.codes import Told, placed_codes, reasons_of_able, refused
from control_plane.placement.decision import Decision, Outcome
from control_plane.placement.ranked import NOBODY, Ranked, ranked_of
from control_plane.placement.ranking import Able, rank
from control_plane.placement.reasons import Reason
from control_plane.placement.sieves import Offered
from shared.policy import CompiledPolicy

_ABLE, _WINNER = np.uint8(Reason.ABLE), np.uint8(Reason.WINNER)


class Question(msgspec.Struct, frozen=True, eq=False):
    """What a decision is made from, and columns that every step looks at."""

    view: FleetView
    ask: PlacementAsk
    terms: Terms
    rtt_ms: F64
    """By region."""
    room: I32
    """By node."""
    load: F64
    """By region, of the kind."""


def decide(view: FleetView, ask: PlacementAsk, policy: CompiledPolicy) -> Decision:
    """The best node that may and can take the session, or why there is none.

    Args:
        view: the fleet as it is now.
        ask: the session.
        policy: its `allowed` regions are the only ones that anything here ever chooses from.

    Raises:
        ValueError: one of the ask's draws is not from 0 up to 1.
    """
    for name, draw in (("draw", ask.draw), ("ramp", ask.ramp)):
        if not 0.0 <= draw < 1.0:
            raise ValueError(f"{name}={draw} is not from 0 up to 1")
    question = _question(view, ask, policy)
    who = sieves.offered(view.roster, ask, question.terms)
    reasons = who.reasons.copy()
    home = sieves.home(sieves.in_service(view, who), question.terms, question.rtt_ms)
    able = sieves.able(view, ask, question.room, who)
    if home is None:
        reasons[who.nodes] = able
        return _refused(question, None, reasons)
    by_region = sieves.reach(view, question.terms, home, question.rtt_ms)
    able = np.where(able == _ABLE, by_region.take(who.regions), able)
    reasons[who.nodes] = able
    left = (able == _ABLE).nonzero()[0]
    if not left.size:
        return _refused(question, home, reasons)
    return _placed(question, home, who, left, reasons)


def _question(view: FleetView, ask: PlacementAsk, policy: CompiledPolicy) -> Question:
    atlas, kinds = view.roster.atlas, view.roster.kinds
    if ask.kind in kinds:
        row = kinds.index(ask.kind)
        room, load = view.fits[row], view.load[row]
    else:
        room, load = np.zeros(len(view.nodes), np.int32), np.ones(len(atlas.names))
    return Question(view, ask, atlas.terms(policy), atlas.rtt_ms(ask.place), room, load)


def _placed(question: Question, home: int, who: Offered, left: Index, reasons: U8) -> Decision:
    view, ask, atlas = question.view, question.ask, question.view.roster.atlas
    from_load = question.terms.policy.from_load
    spilling = spills(question.load, home, from_load)
    nodes, regions = who.nodes.take(left), who.regions.take(left)
    classes = classes_of(regions, question.load, home, from_load, spilling=spilling)
    able = Able(nodes, regions, stand_back(view, nodes, classes, ask.ramp))
    conservative = atlas.world.ranking.conservative
    ranking = rank(view, able, question.rtt_ms, question.room, ask.draw, conservative=conservative)
    winner = ranking.nodes[0]
    won_in = int(view.roster.region[winner])
    told = Told(who, home, question.rtt_ms, able, ranking, spilling, view.ramping, won_in)
    codes = placed_codes(view, told, reasons)
    reasons[able.nodes] = reasons_of_able(told)
    reasons[winner] = _WINNER
    ranked = ranked_of(view, ranking, question.room)
    return _decision(question, home, ("placed", codes), reasons, ranked)


def _refused(question: Question, home: int | None, reasons: U8) -> Decision:
    why = refused(question.view, question.terms, reasons)
    return _decision(question, home, why, reasons, NOBODY)


def _decision(
    question: Question,
    home: int | None,
    why: tuple[Outcome, tuple[str, ...]],
    reasons: U8,
    ranked: Ranked,
) -> Decision:
    view = question.view
    return Decision(
        ask=question.ask,
        policy=question.terms.policy,
        roster=view.roster,
        view=view.number,
        outcome=why[0],
        home=None if home is None else view.roster.atlas.names[home],
        codes=why[1],
        reasons=reasons,
        ranked=ranked,
        load=question.load.copy(),
    )
