"""The session's ear: what audio came, what was heard of it, what the caller may forget."""

from edge_node.sessions.events import (
    Audio,
    Command,
    EndUtterance,
    Hear,
    Mark,
    ReadAudio,
    Tell,
    Writable,
)
from edge_node.sessions.finals import Finals
from edge_node.sessions.heard import (
    Consumed,
    FlushDone,
    MarkerPassed,
    Wordless,
    WordsForGood,
    WordsSoFar,
)
from edge_node.sessions.history import History
from edge_node.sessions.limits import Limits
from edge_node.sessions.opening import Opening
from heliovox.protocol import messages as wire
from shared.errors import InvalidMessage, TooBig

WAV_HEADER_BYTES = 12
HEARD = (WordsSoFar, WordsForGood, Wordless, MarkerPassed, FlushDone, Consumed)
HearingEvent = WordsSoFar | WordsForGood | Wordless | MarkerPassed | FlushDone | Consumed | Writable


class Hearing:
    """Counts audio in and words out.

    Stops reading while too much audio waits; leaves out partials while the caller does not keep up.

    Args:
        opening: the session's.
        limits: its.
        history: its.
        finals: where it goes on: those of a session that lost its connection. None begins one.
    """

    def __init__(
        self, opening: Opening, limits: Limits, history: History, finals: Finals | None = None
    ) -> None:
        self._audio_format, self._partials = opening.audio, opening.partials
        self._limits, self._history = limits, history
        self._backlog_samples = int(limits.backlog_s * opening.audio.sample_rate)
        self.finals = Finals() if finals is None else finals
        at = self.finals.through_sample
        self.received_bytes = at * opening.audio.bytes_per_sample
        self._head = bytes(WAV_HEADER_BYTES) if at else b""  # only a session's first bytes are
        self._wishes = 0
        self._in_speech = False
        self._shown: tuple[wire.Word, ...] = ()
        self.reading = True
        self._writable = True

    @property
    def received_sample(self) -> int:
        """Whole samples received."""
        return self.received_bytes // self._audio_format.bytes_per_sample

    def idle(self, most_s: float) -> bool:
        """Whether there is no word since the last end of an utterance, and little audio."""
        since = self.received_sample - self.finals.through_sample
        return not self._in_speech and since <= most_s * self._audio_format.sample_rate

    def totals(self) -> tuple[int, int]:
        """Finals so far, and audio received in milliseconds."""
        return self.finals.seq, self.received_sample * 1000 // self._audio_format.sample_rate

    def audio(self, event: Audio) -> list[Command]:
        """Takes audio, and stops reading where too much of it waits for the recogniser.

        Raises:
            InvalidMessage: the audio begins with the header of a file.
        """
        if not event.data:
            return []
        self.received_bytes += len(event.data)
        if len(self._head) < WAV_HEADER_BYTES:
            self._look_for_a_header(event.data)
        behind = self.received_sample - event.worked_off_sample
        if behind <= self._backlog_samples or not self.reading:
            return [Hear(event.data)]
        self.reading = False
        return [Hear(event.data), ReadAudio(yes=False)]

    def wish(self, command: EndUtterance | Mark) -> Command:
        """A flush or a marker at this point of the audio. Raises TooBig where too many wait."""
        self._limits.check_id(command.id)
        if self._wishes >= self._limits.wishes:
            raise TooBig(
                f"{self._wishes} flushes and markers wait already",
                field="id",
                value=command.id,
                remedy="wait for their answers",
            )
        self._wishes += 1
        self._history.note(type(command).__name__, self.received_sample)
        return command

    def acknowledge(self, seq: int) -> list[Command]:
        """The caller has stored the finals up to `seq`."""
        try:
            released = self.finals.acknowledge(seq)
        except ValueError as error:
            remedy = "acknowledge the seq of a final that has come"
            return [Tell(wire.Notice("invalid_message", str(error), "seq", str(seq), remedy))]
        return [self._progress()] if released else []

    def handle(self, event: HearingEvent) -> list[Command]:
        """What to say about what was heard."""
        match event:
            case WordsSoFar():
                return self._so_far(event)
            case WordsForGood():
                return self._for_good(event)
            case Wordless(through):
                self._utterance_over()
                return [self._progress()] if self.finals.wordless(through) else []
            case MarkerPassed() | FlushDone():
                return self._answer(event)
            case Consumed(at):
                return self._consumed(at)
            case Writable(yes):
                self._writable = yes
                return []

    def _answer(self, event: MarkerPassed | FlushDone) -> list[Command]:
        self._wishes -= 1
        if isinstance(event, MarkerPassed):
            return [Tell(wire.MarkerReached(event.id, event.at_sample))]
        return [Tell(wire.Flushed(event.id, self.finals.seq, event.at_sample))]

    def _so_far(self, heard: WordsSoFar) -> list[Command]:
        began = self._speech_began(heard.words)
        if not self._partials or not self._writable or heard.words == self._shown:
            return began
        self._shown = heard.words
        partial = wire.Partial(
            heard.from_sample, heard.through_sample, _text(heard.words), heard.words
        )
        return [*began, Tell(partial)]

    def _for_good(self, heard: WordsForGood) -> list[Command]:
        began = self._speech_began(heard.words)
        self._utterance_over()
        final = self.finals.add(heard, _text(heard.words))
        self._history.note("final", heard.through_sample, f"{final.seq} {heard.reason}")
        notice = [Tell(_unacknowledged())] if self.finals.forgotten == 1 else []
        return [*began, Tell(final), *notice]

    def _utterance_over(self) -> None:
        self._in_speech, self._shown = False, ()

    def _speech_began(self, words: tuple[wire.Word, ...]) -> list[Command]:
        if self._in_speech or not words:
            return []
        self._in_speech = True
        return [Tell(wire.SpeechStarted(self._audio_format.samples(words[0].start_ms)))]

    def _progress(self) -> Command:
        return Tell(wire.Progress(self.received_sample, self.finals.released_sample))

    def _consumed(self, at: int) -> list[Command]:
        behind = self.received_sample - at
        if self.reading or 2 * behind > self._backlog_samples:
            return []
        self.reading = True
        return [ReadAudio(yes=True)]

    def _look_for_a_header(self, data: bytes) -> None:
        self._head += data[: WAV_HEADER_BYTES - len(self._head)]
        if self._head[:4] == b"RIFF" and self._head[8:12] == b"WAVE":
            raise InvalidMessage(
                "a WAV header in raw audio",
                field="audio",
                value="RIFF",
                remedy="send the samples alone; their format stands in start.audio",
            )


def _text(words: tuple[wire.Word, ...]) -> str:
    return " ".join(word.text for word in words)


def _unacknowledged() -> wire.Notice:
    return wire.Notice(
        "unacknowledged",
        "the oldest finals are no longer kept, because none is acknowledged",
        field="seq",
        remedy="send ack for the finals that you have stored",
    )
