"""What stays of a session whose connection is gone, and where it goes on (pure).

Audio is not kept: what was heard and is in no final is heard again, from an utterance's end on.
"""

from dataclasses import dataclass

from edge_node.sessions.finals import Finals
from edge_node.sessions.history import History
from edge_node.sessions.opening import Opening
from edge_node.sessions.states import (
    LINK_TABLE,
    SEAT_TABLE,
    Link,
    LinkEvent,
    Machine,
    Seat,
    SeatEvent,
)
from heliovox.protocol.messages import Ended, Final, Resume
from shared.errors import InvalidMessage, ResumeMismatch

_REMEDY = "resume with the last final that came, and the sample up to which all words have come"
LATEST_SAMPLE = 1 << 53
"""Beyond any session: 48,000 samples a second for 5,000 years."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A session without a connection. Whoever holds it owns it."""

    session: str
    opening: Opening
    finals: Finals
    history: History
    link: Machine[Link, LinkEvent]
    seat: Machine[Seat, SeatEvent]
    heard_sample: int = 0
    """Up to where audio had come, before or after `through_sample`."""
    farewell: Ended | None = None
    """The session is over, and nobody knows whether its caller was told."""

    @property
    def through_sample(self) -> int:
        """Where it goes on: the end of an utterance."""
        return self.finals.through_sample


def kept_elsewhere(session: str, opening: Opening, resume: Resume) -> Kept:
    """A session that another node had: all it needs here is what its caller knows of it.

    Raises:
        InvalidMessage: numbers that no session has.
    """
    _check_range("seq", resume.seq)
    _check_range("through_sample", resume.through_sample)
    return Kept(
        session,
        opening,
        Finals(seq=resume.seq, through_sample=resume.through_sample),
        History(),
        Machine(Link.DETACHED, LINK_TABLE),
        Machine(Seat.NONE, SEAT_TABLE),
        resume.through_sample,
    )


def lacked(finals: Finals, resume: Resume) -> tuple[Final, ...]:
    """The finals that the caller lacks, in order: they are said again.

    Raises:
        ResumeMismatch: he names a final or a position that never was, or lacks one that is not
            kept any more, having acknowledged it.
    """
    if resume.seq > finals.seq or resume.seq < 0:
        raise _mismatch("seq", resume.seq, f"the last final is {finals.seq}")
    if resume.through_sample > finals.through_sample or resume.through_sample < 0:
        at = finals.through_sample
        raise _mismatch("through_sample", resume.through_sample, f"the words end at sample {at}")
    wanted = tuple(final for final in finals.kept if final.seq > resume.seq)
    if len(wanted) != finals.seq - resume.seq:
        first = finals.seq + 1 if not finals.kept else finals.kept[0].seq
        raise _mismatch("seq", resume.seq, f"finals are kept from {first} on")
    return wanted


def check_same(kept: Opening, asked: Opening) -> None:
    """Whether a session is gone on with as it was opened. Raises ResumeMismatch."""
    for name in ("kind", "language", "model", "audio", "endpoint_silence_ms", "graph"):
        was, now = getattr(kept, name), getattr(asked, name)
        if was != now:
            raise ResumeMismatch(
                f"the session was opened with another {name}",
                field=name,
                value=str(now),
                remedy="say the same start, with `resume`",
            )


def _mismatch(field: str, value: int, here: str) -> ResumeMismatch:
    return ResumeMismatch(
        f"{field} is {value}, and {here}",
        field=f"resume.{field}",
        value=value,
        remedy=_REMEDY,
    )


def _check_range(field: str, value: int) -> None:
    if not 0 <= value <= LATEST_SAMPLE:
        raise InvalidMessage(
            f"{field} {value} is no place in a session",
            field=f"resume.{field}",
            value=value,
            remedy=_REMEDY,
        )
