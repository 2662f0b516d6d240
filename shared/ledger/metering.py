"""What is to be written down of one session, when: never twice, never left out (pure)."""

from dataclasses import dataclass, field

from shared.ledger.records import Closed, Counted, Heard, Record, Unit

HEARD_EVERY_MS = 5000
"""Between two records of what a session heard: so much may be lost of a node that dies."""
COUNTED_EVERY_MS = 30_000


@dataclass
class Line:
    """How far one kind of thing has come, and how far that is written down."""

    unit: Unit
    heard: int = 0
    counted: int = 0
    heard_written: int = 0
    counted_written: int = 0

    def hear(self, session: str) -> list[Record]:
        """What was heard and is not written down yet."""
        if self.heard <= self.heard_written:
            return []
        record = Heard(session=session, unit=self.unit, first=self.heard_written, end=self.heard)
        self.heard_written = self.heard
        return [record]

    def count(self, session: str) -> list[Record]:
        """Likewise, of what counts."""
        if self.counted <= self.counted_written:
            return []
        first = self.counted_written
        record = Counted(session=session, unit=self.unit, first=first, end=self.counted)
        self.counted_written = self.counted
        return [record]


@dataclass
class Meter:
    """One session on one node.

    Args:
        session: its id.
        counts: whether what is heard counts here; not on a relay.
        from_sample: from where on.
        now_ms: of the node's monotonic clock.
    """

    session: str
    counts: bool
    from_sample: int = 0
    now_ms: int = 0
    samples: Line = field(init=False)
    characters: Line = field(init=False)

    def __post_init__(self) -> None:
        start = self.from_sample
        self.samples = Line("samples", start, start, start, start)
        self.characters = Line("characters")
        self._heard_ms = self._counted_ms = self.now_ms

    def heard(self, samples: int, released: int, characters: int) -> None:
        """How far the session is: it only goes forward.

        Args:
            samples: received.
            released: the caller will not send again what lies before.
            characters: of texts that came.
        """
        self.samples.heard = max(self.samples.heard, samples)
        self.characters.heard = max(self.characters.heard, characters)
        if self.counts:
            self.samples.counted = max(self.samples.counted, min(released, self.samples.heard))
            self.characters.counted = self.characters.heard

    def due(self, now_ms: int) -> list[Record]:
        """What is to be written now; what counts was heard, and is written after it."""
        if now_ms - self._heard_ms < HEARD_EVERY_MS:
            return []
        self._heard_ms = now_ms
        records = self._hear()
        if now_ms - self._counted_ms >= COUNTED_EVERY_MS:
            self._counted_ms = now_ms
            records += self._count()
        return records

    def hand_over(self, through_sample: int, acked_seq: int, acked_sample: int) -> list[Record]:
        """The last records of a session that another node counts from `through_sample` on."""
        if self.counts:
            through = min(through_sample, self.samples.heard)
            self.samples.counted = max(self.samples.counted, through)
        return self.close("moved", acked_seq, acked_sample, over=False)

    def close(
        self, reason: str, acked_seq: int = 0, acked_sample: int = 0, *, over: bool = True
    ) -> list[Record]:
        """The last records.

        Args:
            reason: why it ended here.
            acked_seq: the last final that the caller acknowledged.
            acked_sample: up to where that goes.
            over: whether the session ended, rather than going on elsewhere.
        """
        if self.counts and over:
            self.samples.counted = self.samples.heard
        closed = Closed(
            session=self.session,
            reason=reason,
            samples=self.samples.heard,
            characters=self.characters.heard,
            total=self.samples.heard if over and self.counts else None,
            acked_seq=acked_seq,
            acked_sample=acked_sample,
        )
        return [*self._hear(), *self._count(), closed]

    def _hear(self) -> list[Record]:
        return self.samples.hear(self.session) + self.characters.hear(self.session)

    def _count(self) -> list[Record]:
        return self.samples.count(self.session) + self.characters.count(self.session)
