"""What a seat tells its session: words and positions, in the caller's samples."""

from dataclasses import dataclass

from heliovox.protocol.messages import EndReason, Word
from shared.errors import VoiceError


@dataclass(frozen=True, slots=True)
class WordsSoFar:
    """The words of the utterance as they stand."""

    from_sample: int
    through_sample: int
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class WordsForGood:
    """An utterance ended with these words; the next one starts at `through_sample`."""

    from_sample: int
    through_sample: int
    words: tuple[Word, ...]
    reason: EndReason


@dataclass(frozen=True, slots=True)
class Wordless:
    """Audio up to here held no words and is released."""

    through_sample: int


@dataclass(frozen=True, slots=True)
class MarkerPassed:
    """Every word before the marker is out."""

    id: str
    at_sample: int


@dataclass(frozen=True, slots=True)
class FlushDone:
    """Every final that the flush caused is out."""

    id: str
    at_sample: int


@dataclass(frozen=True, slots=True)
class AllHeard:
    """The session's audio is over and every word of it is out."""

    at_sample: int


@dataclass(frozen=True, slots=True)
class Consumed:
    """The seat has room again: it has worked its audio off up to here."""

    at_sample: int


@dataclass(frozen=True, slots=True)
class SeatFailed:
    """The seat's engine broke."""

    error: VoiceError


Heard = (
    WordsSoFar
    | WordsForGood
    | Wordless
    | MarkerPassed
    | FlushDone
    | AllHeard
    | Consumed
    | SeatFailed
)
