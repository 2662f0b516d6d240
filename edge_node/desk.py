"""Who lets callers in: what a conversation asks, and the answer of a node that is in no fleet."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, Protocol

from edge_node.capacity.admission import Admission
from edge_node.protocols.peer import Shown
from edge_node.sessions.opening import Opening
from heliovox.protocol.control import InLine
from heliovox.protocol.messages import Start
from shared.errors import TicketRefused, Unauthorised, VoiceError
from shared.exchange import PlaceAnswer, Ruled
from shared.policy import Facts

AdmittedBy = Literal["ticket", "node", "relay"]
NoteEvent = Literal["started", "usage", "paused", "resumed", "ended"]


NO_FACTS = Facts()


@dataclass(frozen=True, slots=True)
class Terms:
    """On whose account a session runs, and by which rules it was let in."""

    tenant: str = ""
    policy: str = ""
    policy_version: str = ""
    decision: str | None = None
    """The control plane's; None where the node decided by itself."""
    admitted_by: AdmittedBy = "node"
    facts: Facts = NO_FACTS
    """What rules looked at."""
    home: str = ""
    """The caller's home region; where nothing is known of it, where he was let in."""
    bundle_version: str = ""
    """Of the bundle by which the node let it in."""


LOCAL = Terms()
"""Of a node that is in no fleet."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A seat is held until `leave`."""

    session: str
    kind: str
    terms: Terms = LOCAL


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another node holds a seat. Nobody goes there: `give_back`."""

    answer: PlaceAnswer
    reason: str
    """Why not here: not_home, node_full, ..."""
    terms: Terms = LOCAL
    """By which this node would pass him on."""


class Question(Protocol):
    """What the node may not decide by itself."""

    async def settle(self, tell: Callable[[InLine], None]) -> Admitted | Elsewhere:
        """The control plane's answer, within seconds, or once it is the caller's turn.

        Whoever is cancelled after he was told of a place in line gives it up.

        Args:
            tell: told of his place in line, where he has one, and of changes.

        Raises:
            VoiceError: it says no.
        """
        ...


@dataclass(frozen=True, slots=True)
class Used:
    """What a session has used so far."""

    audio_ms: int = 0
    characters: int = 0
    paused_ms: int = 0


@dataclass(frozen=True, slots=True)
class Recoverable:
    """What a session that may go on after a lost connection is known by."""

    number: int = 0
    """Of its latest token that the caller surely has; 0 for one that ends with its connection."""
    sha256: str = ""
    """Of that token, in hex."""
    expires_s: float = 0.0
    from_sample: int = 0
    """Beyond 0 where another node had it before."""


ENDS_WITH_ITS_CONNECTION = Recoverable()


class Permit(Protocol):
    """Who a caller is, and how he may ask for a seat."""

    @property
    def account(self) -> str:
        """On whose his session runs: nobody else goes on with it."""
        ...

    @property
    def resumes(self) -> int:
        """The number of the recovery token with which he comes from another node; 0 for none."""
        ...

    def start(self) -> Start:
        """His `start`, with what his ticket decides filled in."""
        ...

    def seat(self, opening: Opening) -> Admitted | Question:
        """A seat, or a question that must be settled first. Raises VoiceError, and holds none."""
        ...


class Desk(Protocol):
    """Admits callers. Nothing here waits, but for `Question.settle`."""

    def doubt(self, shown: Shown) -> VoiceError | None:
        """Why a ticket or key is not good, if it is not."""
        ...

    def permit(self, shown: Shown, start: Start) -> Permit:
        """Who says `start`. Raises VoiceError: nobody we know, or he may not ask for that."""
        ...

    def recheck(self, terms: Terms) -> None:
        """Raises VoiceError where rules have changed since, and do not let him in any more."""
        ...

    def leave(self, admitted: Admitted) -> None:
        """The seat is free."""
        ...

    def retake(self, admitted: Admitted) -> None:
        """A seat that was free meanwhile is held again. Raises NodeFull, NodeDraining."""
        ...

    def give_back(self, elsewhere: Elsewhere) -> None:
        """The caller is gone: the seat elsewhere is not needed."""
        ...

    def note(
        self,
        event: NoteEvent,
        admitted: Admitted,
        opening: Opening,
        used: Used,
        reason: str | None = None,
        ruled: Ruled | None = None,
        recoverable: Recoverable = ENDS_WITH_ITS_CONNECTION,
    ) -> None:
        """For whoever counts. `ruled` is what newer rules said of it while it ran."""
        ...


class Account(Protocol):
    """Whoever has a text said over plain HTTP."""

    async def begin(self, characters: int) -> None:
        """Before anything is done with the text. Raises VoiceError where it may not be said."""
        ...

    def said(self, characters: int) -> None:
        """It was said."""
        ...

    def over(self) -> None:
        """Nothing more of it is said, whether it was or not."""
        ...


class Accounts:
    """Who may have texts said over plain HTTP: here, whoever has a key."""

    def __init__(self, knows: Callable[[str], bool]) -> None:
        self._knows = knows

    def known(self, key: str | None) -> bool:
        """Whether it is a caller's key. Raises VoiceError where that cannot be told now."""
        return key is not None and self._knows(key)

    def of(self, key: str | None, address: str | None = None) -> Account:  # noqa: ARG002 all are equal here
        """On whose account a text is said. Raises VoiceError where it may not be said here.

        Args:
            key: the caller's.
            address: the IP address that he came from.
        """
        return _NOBODYS


class _Nobodys:
    async def begin(self, characters: int) -> None:
        """Whoever has a key may."""

    def over(self) -> None:
        """Nobody counts."""

    def said(self, characters: int) -> None:
        """Nobody counts."""


_NOBODYS = _Nobodys()


class KeyDesk:
    """The desk of a node that is in no fleet: whoever has a key may come while there is room."""

    def __init__(
        self, admission: Admission, knows: Callable[[str], bool], new_id: Callable[[], str]
    ) -> None:
        self._admission, self._knows, self._new_id = admission, knows, new_id

    def doubt(self, shown: Shown) -> VoiceError | None:
        """See Desk."""
        if shown.ticket is not None:
            return TicketRefused(
                "this node is in no fleet, and takes no tickets", field="ticket",
                remedy="use a key this node has given out",
            )  # fmt: skip
        if shown.key is None or not self._knows(shown.key):
            remedy = "use a key this node has given out"
            return Unauthorised("unknown key", field="key", remedy=remedy)
        return None

    def permit(self, shown: Shown, start: Start) -> "_KeyPermit":
        """See Desk."""
        if (wrong := self.doubt(shown)) is not None:
            raise wrong
        return _KeyPermit(start, self, sha256((shown.key or "").encode()).hexdigest())

    def sit(self, kind: str) -> Admitted:
        """A seat. Raises NodeFull, NodeDraining."""
        self._admission.take(kind)
        return Admitted(self._new_id(), kind)

    def leave(self, admitted: Admitted) -> None:
        """See Desk."""
        self._admission.leave(admitted.kind)

    def retake(self, admitted: Admitted) -> None:
        """See Desk."""
        self._admission.take(admitted.kind)

    def recheck(self, terms: Terms) -> None:
        """There are no rules."""

    def give_back(self, elsewhere: Elsewhere) -> None:
        """There is nowhere else."""

    def note(self, *_: object) -> None:
        """Nobody counts."""


@dataclass(frozen=True, slots=True)
class _KeyPermit:
    said: Start
    desk: KeyDesk
    account: str
    resumes: int = 0

    def start(self) -> Start:
        return self.said

    def seat(self, opening: Opening) -> Admitted:
        return self.desk.sit(opening.kind)
