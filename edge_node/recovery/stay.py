"""A session's stay at this node, over all of its connections: its seat, its notes, its end."""

from typing import TYPE_CHECKING, Literal

from edge_node.desk import Admitted, Recoverable, Used
from edge_node.ledger.sessions import Progress
from edge_node.recovery.tokens import Tokens
from edge_node.sessions.finals import Finals
from edge_node.sessions.kept import Kept
from edge_node.sessions.opening import Opening
from shared.exchange import Ruled

if TYPE_CHECKING:
    from edge_node.conversation import Conversation
    from edge_node.house import House

Event = Literal["started", "usage", "paused", "resumed", "ended"]


class Stay:
    """From the first seat to the end, or until the session goes on elsewhere.

    Args:
        house: the node.
        admitted: the seat.
        opening: what the session is.
        account: on whose it runs: nobody else goes on with it.
        from_sample: beyond 0 where another node had it before.
    """

    def __init__(
        self,
        house: "House",
        admitted: Admitted,
        opening: Opening,
        account: str = "",
        from_sample: int = 0,
    ) -> None:
        self._house, self.admitted, self.opening = house, admitted, opening
        self.account, self.from_sample = account, from_sample
        self.tokens: Tokens | None = None
        """None of a session that ends with its connection."""
        self.expires_s = 0.0
        self.talk: Conversation | None = None
        """Its connection, while there is one."""
        self.kept: Kept | None = None
        """What is left of it, while there is none."""
        self.holds_seat = True
        self.over = False
        self.known = True
        """Whether anybody was told of it: not before a caller who comes from another node has
        shown that he is here."""
        self.ruled: Ruled | None = None
        self.came_characters = 0
        """Of the texts that came."""
        self.paused_ms = 0
        self._said_characters = self._heard_ms = 0

    # --- how far it is ---

    @property
    def session(self) -> str:
        """Its name."""
        return self.admitted.session

    @property
    def finals(self) -> Finals | None:
        """Its words for good."""
        if self.kept is not None:
            return self.kept.finals
        hearing = None if self.talk is None else self.talk.session.hearing
        return None if hearing is None else hearing.finals

    @property
    def received_sample(self) -> int:
        """Audio has come up to here."""
        if self.talk is not None:
            return self.talk.session.received_sample
        return 0 if self.kept is None else self.kept.heard_sample

    def progress(self) -> Progress:
        """For the ledger. A caller who may come back begins nowhere before what he acknowledged."""
        finals = self.finals if self.opening.hears else None
        if finals is None:
            return Progress(characters=self.came_characters)
        released = finals.released_sample if self.tokens is None else finals.acked_sample
        return Progress(
            self.received_sample,
            released,
            self.came_characters,
            finals.acknowledged,
            finals.acked_sample,
        )

    def used(self) -> Used:
        """For whoever counts: it only goes forward, whatever is heard twice."""
        if self.opening.hears:
            heard_ms = self.received_sample * 1000 // self.opening.audio.sample_rate
            self._heard_ms = max(self._heard_ms, heard_ms)
        said = self._said_characters + (0 if self.talk is None else self.talk.characters)
        return Used(self._heard_ms, said, self.paused_ms)

    # --- its connections ---

    def attach(self, talk: "Conversation", opening: Opening) -> None:
        """It has a connection."""
        self.talk, self.kept, self.opening = talk, None, opening
        self._house.live[self.session] = talk

    def detach(self, kept: Kept) -> None:
        """It has none any more."""
        self.used()
        if self.talk is not None:
            self._said_characters += self.talk.characters
        self.talk, self.kept = None, kept
        self._house.live.pop(self.session, None)

    # --- what is told of it ---

    def note(self, event: Event, reason: str | None = None) -> None:
        """For whoever counts."""
        if not self.known:
            return
        recoverable = Recoverable(from_sample=self.from_sample)
        if self.tokens is not None:
            mark = self.tokens.shown
            recoverable = Recoverable(mark.number, mark.sha256, self.expires_s, self.from_sample)
        self._house.desk.note(
            event, self.admitted, self.opening, self.used(), reason, self.ruled, recoverable
        )

    # --- its end ---

    def end(self, reason: str) -> None:
        """It is over: told once, whatever calls this. One that nobody knows of goes unsaid."""
        if self.over:
            return
        if not self.known:
            self.give_up(self.from_sample)
            return
        self.over = True
        if self._house.ledger is not None:
            self._house.ledger.closed(self.session, reason)
        self.note("ended", reason)
        self._leave()

    def give_up(self, through_sample: int) -> None:
        """It goes on at another node, which counts from this sample on."""
        if self.over:
            return
        self.over = True
        if self._house.ledger is not None:
            self._house.ledger.given_up(self.session, through_sample)
        self._leave()

    def _leave(self) -> None:
        self._house.live.pop(self.session, None)
        self.give_seat_back()
        self._house.record.over(self.admitted)

    def give_seat_back(self) -> None:
        """Somebody else may have it."""
        if self.holds_seat:
            self.holds_seat = False
            self._house.desk.leave(self.admitted)

    def take_seat(self) -> None:
        """Again. Raises NodeFull, NodeDraining; NotAllowed and such where rules have changed."""
        self._house.desk.recheck(self.admitted.terms)
        if not self.holds_seat:
            self._house.desk.retake(self.admitted)
            self.holds_seat = True
