"""Audio kept until its words are safe: the caller's own bytes, addressed by sample."""


class NotKept(LookupError):
    """Audio that was released, or has not come yet."""


class Replay:
    """A window of the caller's audio, from the first sample not yet released to the last received.

    Args:
        bytes_per_sample: 2 for PCM16, 1 for mu-law and A-law.
        start: the session's position of the first sample.
    """

    def __init__(self, bytes_per_sample: int, start: int = 0) -> None:
        self._width = bytes_per_sample
        self._kept = bytearray()
        self.start = start

    @property
    def end(self) -> int:
        """The position after the last whole sample received."""
        return self.start + len(self._kept) // self._width

    def append(self, data: bytes) -> None:
        """Adds audio; a sample may be split over calls."""
        self._kept += data

    def read(self, begin: int, end: int) -> bytes:
        """The bytes of samples `begin` up to `end`. Raises NotKept for any that is not there."""
        if not self.start <= begin <= end <= self.end:
            raise NotKept(f"samples {begin} to {end}: kept are {self.start} to {self.end}")
        width = self._width
        return bytes(self._kept[(begin - self.start) * width : (end - self.start) * width])

    def release(self, upto: int) -> None:
        """Forgets everything before `upto`; positions already released are ignored."""
        if upto > self.end:
            raise NotKept(f"sample {upto}: received are {self.end}")
        if upto > self.start:
            del self._kept[: (upto - self.start) * self._width]
            self.start = upto
