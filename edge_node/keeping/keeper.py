"""Keeps content of sessions in the places that their policies say, and nowhere else.

Everything here returns at once: what a session's caller waits for never waits for a store.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from edge_node.centre.identity import Identity
from edge_node.centre.rules import Rules
from edge_node.desk import Terms
from edge_node.keeping.outbox import Item
from edge_node.keeping.passing import Passing, Traces
from edge_node.keeping.sender import Sender
from shared import subjects
from shared.bus.matching import MAX_BYTES
from shared.content.records import Deletion
from shared.errors import VoiceError
from shared.policy import Keeping, keeping
from shared.policy.keeping import STORED
from shared.regions.model import Kept

_log = logging.getLogger(__name__)

DAY_MS = 86_400_000
PASSING_MS = DAY_MS
"""The end of what is not kept beyond its session, should its node never come back to delete it."""
ROOM_BYTES = MAX_BYTES - 4096
"""Of one piece; the rest of a message is headers."""
REMEMBERED = 4096
"""Deleted sessions, and their receipts."""
T = TypeVar("T")


@dataclass(slots=True)
class Book:
    """What is kept of one live session, by the rules that held when it began."""

    keepings: Mapping[Kept, Keeping]
    begun: set[Kept] = field(default_factory=set)
    """Of what is not kept beyond the session: that something was."""


class Keeper:
    """See the module. A service besides: it fills the stores.

    Args:
        who: this node.
        rules: those of now; None while there are none.
        senders: of every region's store that the node knows.
        passing: remembers what has to be deleted.
        wall_ms: since 1970.
        note_deleted: told once of every verified deletion of what this node had kept.
    """

    def __init__(
        self,
        who: Identity,
        rules: Callable[[], Rules | None],
        senders: Mapping[str, Sender],
        passing: Passing,
        wall_ms: Callable[[], int],
        note_deleted: Callable[[Deletion], None],
    ) -> None:
        self._note_deleted = note_deleted
        self._who, self._rules, self.senders = who, rules, senders
        self._passing, self._wall_ms = passing, wall_ms
        self._books: dict[str, Book] = {}
        self._ending: dict[str, set[tuple[str, str]]] = {}
        """By session that is over: place and subject where the end is not acknowledged yet."""
        self._deleted: dict[str, None] = {}
        self._receipts: dict[tuple[str, int], None] = {}
        self.lost: Counter[str] = Counter()
        """Pieces that are in no place, by reason."""

    # --- what is kept ---

    def begin(self, session: str, terms: Terms) -> None:
        """A session has a seat: what is kept of it, and where, is settled now. Never raises."""
        try:
            subjects.token(session)
        except ValueError as error:
            self._say_lost("no_name", str(error))
            return
        self._books[session] = Book(self._keepings(terms))

    def keeps(self, session: str, what: Kept) -> bool:
        """Whether it is worth while to make a piece of content."""
        book = self._books.get(session)
        return book is not None and what in book.keepings and session not in self._deleted

    def _keepings(self, terms: Terms) -> Mapping[Kept, Keeping]:
        if (rules := self._rules()) is None:
            self._say_lost("no_rules", "nobody knows what a policy keeps without valid rules")
            return {}
        try:
            policy = rules.policies.effective(terms.policy, terms.facts, self._wall_ms())
        except VoiceError as error:
            self._say_lost("no_rules", error.message)
            return {}
        found: dict[Kept, Keeping] = {}
        for what in STORED:
            place = keeping(policy, what, terms.home, rules.world, self.senders)
            if place is not None:
                found[what] = place
            elif any(kept.what == what for kept in policy.keep):
                self._say_lost("no_store", f"{what} of policy {policy.name}")
        return found

    def keep(
        self, session: str, what: Kept, data: bytes, *, part: str, replaces: bool = False
    ) -> tuple[str, ...]:
        """Puts a piece on its way to wherever the session's policy keeps it. Never raises.

        Args:
            session: one that has begun and is not over.
            what: the kind of content.
            data: the piece.
            part: tells the piece from others of the session and kind: kept once, however often.
            replaces: earlier pieces of the kind are not needed once it is there.

        Returns:
            The places; none where the policy keeps nothing, or nothing could be taken.
        """
        if not self.keeps(session, what):
            return ()
        book = self._books[session]
        kept = book.keepings[what]
        if len(data) > ROOM_BYTES:
            self._say_lost("too_big", f"{len(data)} bytes of {what}")
            return ()
        subject = subjects.kept(self._who.region, self._who.node, session, what)
        if not kept.days and not self._noted(session, what, book):
            self._say_lost("no_note", what)
            return ()
        item = Item(
            session,
            subject,
            f"{session}/{what}/{self._who.boot}/{part}",
            data,
            self._wall_ms() + (kept.days * DAY_MS or PASSING_MS),
            replaces,
        )
        taken = tuple(place for place in kept.places if self.senders[place].add(item))
        if not taken:
            self._say_lost("no_room", what)
        return taken

    def over(self, session: str) -> None:
        """The session is over: what is not kept beyond it is deleted wherever it was put."""
        book = self._books.pop(session, None)
        if book is None or not book.begun:
            return
        traces = self._traces(session, book)
        for place in traces.places:
            for subject in traces.subjects:
                self.senders[place].outbox.drop(subject)
        self._end(traces, lambda place, subject: self.senders[place].tried(subject))

    def forget(self, session: str) -> None:
        """A custodian deletes what is kept of it: nothing more is, and what waits is dropped."""
        _remember(self._deleted, session)
        for sender in self.senders.values():
            sender.outbox.delete(session)

    def deleted(self, receipt: Deletion) -> None:
        """Every place says so, and the node has a connection to each of its own."""
        ours = any(self._who.node in place.nodes for place in receipt.places)
        name = (receipt.session, receipt.at_ms)
        if not receipt.verified or not ours or name in self._receipts:
            return
        _remember(self._receipts, name)
        self._note_deleted(receipt)

    # --- what is not kept beyond the session ---

    def _noted(self, session: str, what: Kept, book: Book) -> bool:
        """Whether it is written down where the piece will lie, so that it is found and deleted."""
        if what in book.begun:
            return True
        book.begun.add(what)
        if self._passing.begun(self._traces(session, book)):
            return True
        book.begun.discard(what)
        return False

    def _traces(self, session: str, book: Book) -> Traces:
        region, node = self._who.region, self._who.node
        whats = sorted(book.begun)
        places = sorted({place for what in whats for place in book.keepings[what].places})
        return Traces(
            session,
            tuple(subjects.kept(region, node, session, what) for what in whats),
            tuple(places),
        )

    def _end(self, traces: Traces, there: Callable[[str, str], bool]) -> None:
        """Deletes it in every place and of every subject of which something may be there."""
        known = [place for place in traces.places if place in self.senders]
        pairs = [(place, subject) for place in known for subject in traces.subjects]
        self._ending[traces.session] = {pair for pair in pairs if there(*pair)}
        for place, subject in sorted(self._ending[traces.session]):
            name = f"{subject}/{self._who.boot}/end"
            self.senders[place].add(
                Item(traces.session, subject, name, b"", self._wall_ms(), ends=True)
            )
        self._over_if_nothing_is_left(traces.session)

    def settled(self, place: str, item: Item) -> None:
        """A store has it."""
        left = self._ending.get(item.session)
        if not item.ends or left is None:
            return
        left.discard((place, item.subject))
        self._over_if_nothing_is_left(item.session)

    def _over_if_nothing_is_left(self, session: str) -> None:
        if not self._ending[session]:
            del self._ending[session]
            self._passing.over(session)

    def _say_lost(self, reason: str, what: str) -> None:
        if not self.lost[reason]:
            _log.error("not kept anywhere (%s): %s; further ones are counted", reason, what)
        self.lost[reason] += 1

    # --- the service ---

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled; what an earlier start left to be deleted comes first."""
        for traces in self._passing.left():
            self._end(traces, lambda _place, _subject: True)
        ready.set()
        async with asyncio.TaskGroup() as group:
            for place, sender in self.senders.items():
                group.create_task(sender.run(), name=f"content for {place}")
            await asyncio.Event().wait()  # a node without stores goes on as well


def _remember(what: dict[T, None], name: T) -> None:
    """The oldest goes where there are too many."""
    what[name] = None
    if len(what) > REMEMBERED:
        del what[next(iter(what))]
