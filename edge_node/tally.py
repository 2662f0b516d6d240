"""What a node has done since it started: plain counts, read on scrape. No identities."""

from collections import Counter
from dataclasses import dataclass, field

from heliovox.protocol.messages import Ended, Error, Final, ServerMessage, Started
from shared.errors import EngineFailed, VoiceError

FAULTS = (EngineFailed.code, VoiceError.code)
"""Errors that are the node's own."""


@dataclass(slots=True)
class Tally:
    """Counts of the event loop's thread."""

    started: Counter[str] = field(default_factory=Counter)
    """Sessions by kind."""
    ended: Counter[str] = field(default_factory=Counter)
    """Sessions that ended well, by reason."""
    errors: Counter[str] = field(default_factory=Counter)
    """Errors told, by code."""
    finals: int = 0
    words: int = 0
    audio_ms: int = 0
    """Of sessions that ended well."""

    @property
    def faults(self) -> int:
        """Sessions that ended through a fault of the node's own."""
        return sum(self.errors[code] for code in FAULTS)

    def told(self, message: ServerMessage) -> None:
        """Counts what a caller was told."""
        match message:
            case Started(recovery=recovery) if recovery is None or recovery.number == 1:
                self.started[message.kind] += 1
            case Final():
                self.finals += 1
                self.words += len(message.words)
            case Ended():
                self.ended[message.reason] += 1
                self.audio_ms += message.audio_ms
            case Error():
                self.errors[message.code] += 1
