"""What is other about a session that is placed anew, since it goes on elsewhere (pure)."""

from msgspec.structs import replace

from control_plane.orders import Continued
from control_plane.placement import Candidate, Decision, PlacementAsk
from control_plane.sessions.ahead import Going
from shared.exchange import Reserve


def asked_again(ask: PlacementAsk, goes_on: Continued) -> PlacementAsk:
    """The question to the router: without some nodes."""
    return replace(
        ask,
        without=goes_on.without,
        continues=goes_on.session,
        because=goes_on.because,
        came_from=goes_on.came_from,
    )


def wanted_again(wanted: Reserve, goes_on: Continued) -> Reserve:
    """The question to a node: for the same session, whose content stays where it was."""
    return replace(
        wanted,
        session=goes_on.session,
        home=goes_on.home or wanted.home,
        resumes=goes_on.number,
    )


def going_to(
    goes_on: Continued, wanted: Reserve, won: Candidate, until_ms: int, decision: Decision
) -> Going:
    """The seat that is held for it."""
    return Going(
        session=goes_on.session,
        region=won.region,
        node=won.node,
        reservation=wanted.reservation,
        decision=decision.ask.id,
        because=goes_on.because,
        came_from=goes_on.came_from,
        number=goes_on.number,
        until_ms=until_ms,
    )
