"""Audio that the node may still ask for again, and no more of it than a bound allows. Pure."""

from collections import deque

from heliovox.protocol.audio import AudioFormat

KEPT_S = 150
"""What is said while a connection is lost for 120 s, which is how long a session waits for its
caller, behind an utterance of 20 s that was under way; and a little more."""


class KeptAudio:
    """What was sent and not yet released, addressed by the caller's own samples.

    Received is not released: only `released_sample` says that words are safe. A node that releases
    nothing costs memory up to the bound, then the oldest audio is forgotten.
    """

    def __init__(self, audio: AudioFormat, kept_s: float = KEPT_S) -> None:
        self.audio = audio
        self._width = audio.bytes_per_sample
        self._limit_bytes = int(kept_s * audio.sample_rate) * self._width
        self._pieces: deque[bytes] = deque()
        self._first_byte = 0
        self._end_byte = 0

    @property
    def from_sample(self) -> int:
        """The first sample that can still be sent again."""
        return -(-self._first_byte // self._width)

    @property
    def sent_samples(self) -> int:
        """Whole samples sent since the session began."""
        return self._end_byte // self._width

    def has_room(self, count: int) -> bool:
        """Whether as many bytes more can be kept without forgetting any."""
        return not self._pieces or self._end_byte + count - self._first_byte <= self._limit_bytes

    def add(self, data: bytes) -> None:
        """Remembers audio that is being sent; it may end within a sample."""
        if data:
            self._pieces.append(data)
            self._end_byte += len(data)
            self._forget_until(self._end_byte - self._limit_bytes)

    def release(self, sample: int) -> None:
        """Forgets what lies before `sample`; an older or later position than known is harmless."""
        self._forget_until(min(sample * self._width, self._end_byte))

    def since(self, sample: int) -> bytes:
        """All audio sent from `sample` on.

        Raises:
            LookupError: that audio is forgotten.
        """
        skip = sample * self._width - self._first_byte
        if skip < 0:
            raise LookupError(
                f"sample {sample} is forgotten: audio is kept from {self.from_sample}"
            )
        return b"".join(self._pieces)[skip:]

    def since_byte(self, byte: int) -> bytes:
        """All audio sent from a byte on. Raises LookupError: that audio is forgotten."""
        if byte < self._first_byte:
            raise LookupError(f"byte {byte} is forgotten: audio is kept from {self._first_byte}")
        return b"".join(self._pieces)[byte - self._first_byte :]

    def byte_of(self, sample: int) -> int:
        """Where a sample begins."""
        return sample * self._width

    @property
    def sent_bytes(self) -> int:
        """Bytes sent since the session began."""
        return self._end_byte

    def _forget_until(self, byte: int) -> None:
        while self._pieces and self._first_byte < byte:
            piece = self._pieces.popleft()
            rest = piece[byte - self._first_byte :]
            self._first_byte += len(piece) - len(rest)
            if rest:
                self._pieces.appendleft(rest)
