"""Where a session stands, for whoever has to go on with it over another connection. Pure."""

from dataclasses import dataclass, field

from heliovox.client.errors import NodeMisbehaved
from heliovox.client.keeping import KeptAudio
from heliovox.client.moving import Base, Bases
from heliovox.protocol import messages as m


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where the audio goes on at the next node, in the application's samples."""

    from_sample: int
    gap: tuple[int, int] | None = None
    """Audio that would have been due and is forgotten."""


@dataclass(slots=True)
class Footing:
    """What a session can be gone on with. Positions and numbers are the application's."""

    seq: int = 0
    """The last final that came."""
    boundary: int = 0
    """All words before this sample are in finals that came, and the node began afresh there."""
    bases: Bases = field(default_factory=Bases)
    """What the present node counts less than the application."""
    started: m.Started | None = None
    """The latest that came."""
    _token_before: str | None = None
    _by_the_one_before: bool = False

    @property
    def token(self) -> str | None:
        """What shows that the session is the caller's."""
        if self._by_the_one_before and self._token_before is not None:
            return self._token_before
        return self.recovery.token if self.recovery is not None else None

    def other_token(self) -> None:
        """This one was refused: the one before it is good until the node has heard of the next."""
        self._by_the_one_before = not self._by_the_one_before

    @property
    def recovery(self) -> m.Recovery | None:
        """How the session can be gone on with; None where it cannot."""
        return self.started.recovery if self.started is not None else None

    def passed(self, sample: int) -> None:
        """The node said of a sample that all words before it came."""
        self.boundary = max(self.boundary, sample)

    def resume(self) -> m.Resume | None:
        """What to say in the next `start`."""
        if self.token is None:
            return None
        seq = self.seq - self.bases.now.seq
        return m.Resume(self.token, seq, self.bases.node_sample(self.boundary))

    def arrived(self, started: m.Started, kept: KeptAudio) -> Arrival:
        """The next node took the session, or opened a new one for it, if it knows no recovery.

        Raises:
            NodeMisbehaved: it goes on where it cannot.
        """
        rate, before = kept.audio.sample_rate, self.started
        if before is None or started.recovery is None or started.session != before.session:
            self.bases = Bases(_base(self.boundary, rate, self.seq))
        base = self.bases.at(started.from_sample)
        at = started.from_sample + base.sample
        if not self.boundary <= at <= kept.sent_samples:
            raise NodeMisbehaved(
                f"the node goes on at sample {at}: all words are known up to {self.boundary},"
                f" and {kept.sent_samples} samples were sent"
            )
        self._token_before, self._by_the_one_before = self.token, False
        self.started, first = started, kept.from_sample
        if first <= at:
            return Arrival(at)
        skipped = _base(first - started.from_sample, rate, base.seq)
        self.bases.skipped(started.from_sample, skipped)
        return Arrival(first, (at, first))


def _base(sample: int, sample_rate: int, seq: int) -> Base:
    return Base(sample, sample * 1000 // sample_rate, seq)
