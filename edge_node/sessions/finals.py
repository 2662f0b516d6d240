"""Finals: numbered from 1 without gaps, kept until the caller has acknowledged them."""

from collections import deque

from edge_node.sessions.heard import WordsForGood
from heliovox.protocol.messages import Final

KEPT_LIMIT = 256


class Finals:
    """The numbering, and what it says of audio that may be dropped.

    Args:
        kept_limit: finals that wait for their acknowledgement.
        seq: of the last final that the caller has already, where the session began elsewhere.
        through_sample: up to where he has all words then.
    """

    def __init__(self, kept_limit: int = KEPT_LIMIT, seq: int = 0, through_sample: int = 0) -> None:
        self._kept: deque[Final] = deque()
        self._limit = kept_limit
        self._through = through_sample
        """Audio up to here is in finals, or held no words."""
        self.seq = seq
        self.acknowledged = seq
        self.forgotten = 0
        """Finals dropped unacknowledged, because the caller never acknowledges."""
        self.released_sample = through_sample
        """The caller may drop audio before this sample."""
        self.acked_sample = through_sample
        """Where the last acknowledged final ends: the caller begins nowhere before it again."""

    @property
    def through_sample(self) -> int:
        """Audio up to here is done with."""
        return self._through

    @property
    def kept(self) -> tuple[Final, ...]:
        """Sent and not yet acknowledged, oldest first."""
        return tuple(self._kept)

    def add(self, heard: WordsForGood, text: str) -> Final:
        """Numbers an utterance's words and keeps them."""
        self.seq += 1
        final = Final(
            self.seq, heard.from_sample, heard.through_sample, text, heard.words, heard.reason
        )
        self._kept.append(final)
        self._through = heard.through_sample
        if len(self._kept) > self._limit:
            self._kept.popleft()
            self.forgotten += 1
        return final

    def wordless(self, through_sample: int) -> bool:
        """Audio without words was passed; True if that releases audio."""
        self._through = through_sample
        if self._kept:
            return False
        self.released_sample = through_sample
        return True

    def acknowledge(self, seq: int) -> bool:
        """Forgets finals up to `seq`; True if that releases audio.

        Raises:
            ValueError: `seq` was never sent.
        """
        if not 0 <= seq <= self.seq:
            raise ValueError(f"seq {seq} was never sent; the last final is {self.seq}")
        if seq <= self.acknowledged:
            return False
        self.acknowledged = seq
        released = self.released_sample
        while self._kept and self._kept[0].seq <= seq:
            released = self.acked_sample = self._kept.popleft().through_sample
        if not self._kept:
            self.forgotten, released = 0, self._through
        moved = released > self.released_sample
        self.released_sample = max(released, self.released_sample)
        return moved
