"""What happens to a session, and what it has done about it.

Events are the native protocol's own messages (`heliovox.protocol.messages`), what a seat heard
(`heard.py`), and the ones below. Commands are values that the shell carries out, in order.
"""

from dataclasses import dataclass

from edge_node.sessions.heard import Heard
from edge_node.sessions.kept import Kept
from edge_node.sessions.opening import Opening
from heliovox.protocol.closing import CloseCode
from heliovox.protocol.messages import (
    ClientMessage,
    EndReason,
    Error,
    Recovery,
    Redirect,
    Resume,
    ServerMessage,
    Speak,
    Waiting,
)
from shared.errors import VoiceError

NEW = Resume("")
"""Of a session that begins: its caller has nothing yet."""

# --- events ---


@dataclass(frozen=True, slots=True)
class Audio:
    """Audio of the caller, in the session's format; a sample may be split over events."""

    data: bytes
    worked_off_sample: int = 0
    """How far the recogniser has come meanwhile."""


@dataclass(frozen=True, slots=True)
class SeatGranted:
    """The node has room, and holds a seat."""

    session: str
    opening: Opening
    decision: str | None = None
    """The control plane's, where it sent the caller here."""
    recovery: Recovery | None = None
    """With what the session goes on, should its connection be lost; None: it cannot."""
    kept: Kept | None = None
    """What there was of the session before, where it goes on."""
    resume: Resume = NEW
    """What its caller has of it then."""


@dataclass(frozen=True, slots=True)
class SentOn:
    """Another node holds a seat for this session, and the caller can go there."""

    redirect: Redirect


@dataclass(frozen=True, slots=True)
class PassedOn:
    """Another node has the session; this one only passes everything on from here."""


@dataclass(frozen=True, slots=True)
class InLineNow:
    """There is no seat yet: the caller has a place in line."""

    waiting: Waiting


@dataclass(frozen=True, slots=True)
class Spoke:
    """A `speak` is over: said, cancelled, or failed."""

    id: str
    samples: int
    cancelled: bool


@dataclass(frozen=True, slots=True)
class Writable:
    """The caller reads, or does not keep up with what is sent."""

    yes: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """The session cannot go on."""

    error: VoiceError


@dataclass(frozen=True, slots=True)
class LinkLost:
    """The connection is gone."""

    goodbye: bool = False
    """The caller closed it in order: he does not come back, or had all there was to tell."""


@dataclass(frozen=True, slots=True)
class Stranded:
    """The node cannot hear the session any more, and another one can: nothing is cut short."""

    reason: str


@dataclass(frozen=True, slots=True)
class Displaced:
    """The session goes on over a newer connection, here or at another node."""


@dataclass(frozen=True, slots=True)
class Move:
    """Another node holds a seat for the session: it goes there at the next end of an utterance."""

    redirect: Redirect


@dataclass(frozen=True, slots=True)
class MoveDue:
    """It was waited long enough for the end of an utterance: the last one will do."""


@dataclass(frozen=True, slots=True)
class Drain:
    """The node will stop."""

    deadline_ms: int


@dataclass(frozen=True, slots=True)
class DrainOver:
    """The session must end now: the node stops, or an operator says so."""

    reason: str = "draining"
    elsewhere: bool = False
    """Whether another node can go on with those who recover: nothing is cut short for them."""


@dataclass(frozen=True, slots=True)
class Ousted:
    """The session may not go on here: it ends at its present utterance, with these words.

    Where they follow, nothing more is heard until then: an utterance that another node will hear
    from its beginning is not cut in two.
    """

    parting: Error | None
    """None where they follow, once it is known whether the caller has somewhere to go."""


@dataclass(frozen=True, slots=True)
class Parting:
    """The last words of a session that was ousted."""

    words: Error | Redirect


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""

    now_s: float


Event = (
    ClientMessage
    | Heard
    | Audio
    | SeatGranted
    | SentOn
    | PassedOn
    | InLineNow
    | Spoke
    | Writable
    | Failed
    | LinkLost
    | Stranded
    | Displaced
    | Move
    | MoveDue
    | Drain
    | DrainOver
    | Ousted
    | Parting
    | Tick
)

# --- commands ---


@dataclass(frozen=True, slots=True)
class TakeSeat:
    """Find room for the session, and answer with SeatGranted or Failed."""

    opening: Opening


@dataclass(frozen=True, slots=True)
class Hear:
    """Audio for the recogniser."""

    data: bytes


@dataclass(frozen=True, slots=True)
class EndUtterance:
    """A wish at this point of the audio."""

    id: str
    reason: EndReason


@dataclass(frozen=True, slots=True)
class Mark:
    """A wish at this point of the audio."""

    id: str


@dataclass(frozen=True, slots=True)
class Say:
    """Begin to say a text."""

    speak: Speak


@dataclass(frozen=True, slots=True)
class Hush:
    """Stop the text that is being said."""

    id: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Something for the caller to know."""

    message: ServerMessage


@dataclass(frozen=True, slots=True)
class ReadAudio:
    """Go on reading what the caller sends, or leave it on the wire."""

    yes: bool


@dataclass(frozen=True, slots=True)
class LeaveSeat:
    """The session needs its seat no more."""


@dataclass(frozen=True, slots=True)
class Detach:
    """The connection is of no use any more, the session goes on: keep what it needs for that."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the connection after what was told."""

    code: CloseCode
    reason: str


Command = (
    TakeSeat
    | Hear
    | EndUtterance
    | Mark
    | Say
    | Hush
    | Tell
    | ReadAudio
    | LeaveSeat
    | Detach
    | HangUp
)
