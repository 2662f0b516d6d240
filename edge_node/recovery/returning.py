"""A caller who goes on with a session: here, where it waits for him, or after another node."""

from typing import TYPE_CHECKING

from edge_node.desk import Admitted, Permit
from edge_node.recovery.service import refused
from edge_node.recovery.stay import Stay
from edge_node.sessions.kept import Kept, kept_elsewhere
from edge_node.sessions.opening import Opening

if TYPE_CHECKING:
    from edge_node.house import House


def comes_back(house: "House", permit: Permit, opening: Opening) -> tuple[Stay, Kept] | None:
    """The session, with a seat, if it waits here, or has an older connection here.

    Args:
        house: the node.
        permit: the caller's.
        opening: as he says that it was opened.

    Raises:
        ResumeMismatch: it does not go on so; nothing has changed.
        NodeFull, NodeDraining: its seat is taken meanwhile, and it waits on.
        VoiceError: see `Recoveries.come_back`.
    """
    resume = permit.start().resume
    assert resume is not None
    recoveries = house.recoveries
    stay = recoveries.find(resume.token, permit.account)
    if stay is None:
        return None
    recoveries.check(stay, opening, resume)
    if permit.resumes:
        _seat_of_the_ticket(house, permit, opening, stay)
    return stay, recoveries.come_back(stay, resume.token)


def _seat_of_the_ticket(house: "House", permit: Permit, opening: Opening, stay: Stay) -> None:
    """The control plane has found a seat for it on the node where it waits."""
    seat = permit.seat(opening)
    assert isinstance(seat, Admitted), "a ticket asks nobody"
    if stay.session != seat.session:
        house.desk.leave(seat)
        raise refused()
    if stay.holds_seat or stay.over:
        house.desk.leave(seat)
    else:
        stay.holds_seat = True


def elsewhere(permit: Permit, opening: Opening) -> Kept:
    """A session that another node had, by the control plane's ticket.

    Raises:
        ResumeRefused: nobody says that there is one.
        InvalidMessage: numbers that no session has.
    """
    resume = permit.start().resume
    assert resume is not None
    if not permit.resumes:
        raise refused()
    return kept_elsewhere("", opening, resume)
