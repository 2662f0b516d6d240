"""A seat: what one session holds on the device. Audio goes in, what was heard comes out.

The event loop appends to the inbox; everything else belongs to the device thread. A seat takes
one step at a time, and what it says is a function of the samples and of where the caller asked
for ends (flush, finish): never of packets, neighbours or time.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_node.sessions.heard import (
    AllHeard,
    FlushDone,
    Heard,
    MarkerPassed,
    Wordless,
    WordsForGood,
    WordsSoFar,
)
from edge_node.sessions.transcript import SpokenWord, Transcript
from edge_node.sessions.utterances import Rules, cut
from edge_node.stt.engine import Profile, Samples, Token
from edge_node.stt.gate import Gate, GateRules
from edge_node.stt.intake import Intake
from heliovox.protocol.audio import AudioFormat
from heliovox.protocol.messages import EndReason, Word
from shared.audio import decode


@dataclass(frozen=True, slots=True)
class MarkerAsked:
    """Say when every word before this point is out."""

    id: str


@dataclass(frozen=True, slots=True)
class EndAsked:
    """End the utterance here."""

    id: str
    reason: EndReason


Asked = MarkerAsked | EndAsked


class Seat:
    """One stream of audio on its way through the recogniser.

    Args:
        audio: the caller's.
        profile: the engine's.
        rules: when utterances end.
        start: the session's position of the first sample that will come: an end of an utterance.
    """

    def __init__(self, audio: AudioFormat, profile: Profile, rules: Rules, start: int = 0) -> None:
        self._audio, self._profile, self._rules = audio, profile, rules
        self._intake = Intake(audio, profile, start)
        self._transcript = Transcript()
        self.gate: Gate | None = None
        """Says at which words somebody spoke; the others are left out. None believes all."""
        self._shown: tuple[Word, ...] = ()
        self.inbox: deque[bytes | Asked] = deque()
        self._asked: deque[tuple[int, Asked]] = deque()
        self.received_bytes = start * audio.bytes_per_sample
        """Of the session; counted by the event loop as it appends to the inbox."""
        self.need_bytes = 0
        """Received bytes from which the next step is possible."""
        self._set_need()

    def watch(self, rules: GateRules) -> None:
        """From now on, before any audio, words need somebody who says them."""
        self.gate = Gate(rules, self._audio.sample_rate)

    # --- the event loop's side ---

    def push(self, item: bytes | Asked) -> bool:
        """Appends audio, or a wish at this point of it; True if there may be a step to take."""
        self.inbox.append(item)
        if isinstance(item, bytes):
            self.received_bytes += len(item)
            return self.received_bytes >= self.need_bytes
        return True

    # --- the device's side ---

    def turn(self) -> tuple[list[Heard], bool, Samples | None]:
        """What the seat has to do now.

        Returns:
            What was heard without a further step; whether the engine's stream must be fresh
            before the next one; that step's samples, or None where more audio must come first.
        """
        self._read_inbox()
        heard, ended = self._settle()
        return heard, ended, self._next_samples()

    def stepped(self, tokens: Sequence[Token]) -> tuple[list[Heard], bool]:
        """The step's tokens are out: what was heard, and whether the stream must be fresh.

        The gate, where there is one, has heard the step's audio.
        """
        self._transcript.add(tokens)
        heard: list[Heard] = []
        cut_here = self._cut(heard)
        if not cut_here:
            heard += self._news(tokens)
        self._pass_markers(heard)
        settled, ended = self._settle()
        return heard + settled, cut_here or ended

    @property
    def waits(self) -> bool:
        """Whether nothing can be done before more audio comes, or a wish."""
        return not (self.inbox or self.ends or self.received_bytes >= self.need_bytes)

    @property
    def ends(self) -> bool:
        """Whether an end was asked for whose words are not out yet: somebody waits for them."""
        return self._end_asked() is not None

    @property
    def consumed_sample(self) -> int:
        """Audio up to here has gone to the engine."""
        return self._intake.fed

    def _next_samples(self) -> Samples | None:
        intake, end = self._intake, self._end_asked()
        needs = intake.needs()
        if end is None or end[0] >= needs:
            return intake.next_step() if intake.replay.end >= needs else None
        return intake.next_tail(end[0])

    def _end_asked(self) -> tuple[int, EndAsked] | None:
        if not self._asked:
            return None
        return next(((at, ask) for at, ask in self._asked if isinstance(ask, EndAsked)), None)

    def _read_inbox(self) -> None:
        inbox, replay = self.inbox, self._intake.replay
        while inbox:
            item = inbox.popleft()
            if isinstance(item, bytes):
                replay.append(item)
            else:
                self._asked.append((replay.end, item))

    def _upto(self) -> int:
        """How far the utterance can reach: what lies behind an end that was asked for is not its.

        Whether that audio has come already is a matter of packets, and must not be heard.
        """
        end = self._end_asked()
        return self._intake.replay.end if end is None else end[0]

    def _set_need(self) -> None:
        self.need_bytes = self._intake.needs() * self._audio.bytes_per_sample

    def _settle(self) -> tuple[list[Heard], bool]:
        """Ends the utterance wherever an end was asked for and every word before it is out."""
        heard: list[Heard] = []
        ended = False
        if not self._asked:  # as nearly always
            self._set_need()
            return heard, ended
        while (end := self._end_asked()) is not None and self._intake.tail_is_out(end[0]):
            ended = ended or end[0] > self._intake.begin
            self._end_at(*end, heard)
        self._pass_markers(heard)
        self._set_need()
        return heard, ended

    def _end_at(self, at: int, asked: EndAsked, heard: list[Heard]) -> None:
        if self._has_words(len(self._transcript.words)):
            heard.append(self._for_good(len(self._transcript.words), at, asked.reason))
        elif at > self._intake.begin:
            heard.append(Wordless(at))
        self._restart(at)
        self._pass_markers(heard)
        self._asked.remove((at, asked))
        done = AllHeard(at) if asked.reason == "finish" else FlushDone(asked.id, at)
        heard.append(done)

    def _cut(self, heard: list[Heard]) -> bool:
        """Ends the utterance where the rules say so; not behind an end that was asked for."""
        intake, end = self._intake, self._end_asked()
        whole = (self._upto() - intake.begin) // self._caller(1)
        frames = min(intake.heard_samples // self._profile.frame_samples, whole)
        decided = cut(self._transcript.words, frames, self._rules, self._loudness)
        if decided is None:
            return False
        at = intake.begin + self._caller(decided.frame)
        if end is not None and at >= end[0]:
            return False
        if decided.reason != "silence" and self._has_words(decided.words):
            heard.append(self._for_good(decided.words, at, decided.reason))
        else:
            heard.append(Wordless(at))
        self._restart(at)
        return True

    def _has_words(self, count: int) -> bool:
        """Whether one of the first `count` words counts."""
        return any(self._counts(word) for word in self._transcript.words[:count])

    def _counts(self, word: SpokenWord) -> bool:
        """Pieces may begin a word and stop, and nobody may have said it."""
        if not word.text or self.gate is None:
            return bool(word.text)
        size = self._profile.frame_samples
        return self.gate.spoken(word.first_frame * size, (word.last_frame + 1) * size)

    def _restart(self, at: int) -> None:
        self._intake.restart(at)
        self._transcript = Transcript()
        self._shown = ()
        if self.gate is not None:
            self.gate.restart()

    def _pass_markers(self, heard: list[Heard]) -> None:
        """Markers whose words are all out, up to the first end asked for (it comes first)."""
        if not self._asked:
            return
        intake = self._intake
        through = intake.begin + intake.caller_samples(intake.heard_samples)
        while self._asked:
            at, asked = self._asked[0]
            if not isinstance(asked, MarkerAsked) or at > max(through, intake.begin):
                return
            self._asked.popleft()
            heard.append(MarkerPassed(asked.id, at))

    def _news(self, tokens: Sequence[Token]) -> list[WordsSoFar]:
        """The words as they stand, after tokens; behind a gate also when it let one through."""
        if not (tokens or (self.gate and self._transcript.words)):
            return []
        so_far = self._so_far()
        if self.gate and so_far.words == self._shown:
            return []
        self._shown = so_far.words
        return [so_far]

    def _so_far(self) -> WordsSoFar:
        intake = self._intake
        through = intake.begin + intake.caller_samples(intake.heard_samples)
        through = min(through, self._upto())
        return WordsSoFar(intake.begin, through, self._words(self._transcript.words, through))

    def _for_good(self, words: int, at: int, reason: EndReason) -> WordsForGood:
        spoken = self._transcript.words[:words]
        return WordsForGood(self._intake.begin, at, self._words(spoken, at), reason)

    def _words(self, spoken: Sequence[SpokenWord], through: int) -> tuple[Word, ...]:
        """The words up to the caller's sample `through` that count."""
        last = (through - self._intake.begin) // self._caller(1)
        limits = [word.first_frame for word in spoken[1:]] + [last] * bool(spoken)
        return tuple(
            self._word(word, limit)
            for word, limit in zip(spoken, limits, strict=True)
            if self._counts(word)
        )

    def _word(self, word: SpokenWord, limit: int) -> Word:
        """Its sound goes on a little behind its last token, at most to the next word."""
        base_ms = self._intake.begin * 1000 // self._audio.sample_rate
        frame_ms = self._profile.frame_samples * 1000 // self._profile.sample_rate
        token_end = word.last_frame + 1
        sound_end = max(token_end, min(token_end + self._rules.settle_frames, limit))
        return Word(
            word.text,
            base_ms + word.first_frame * frame_ms,
            base_ms + sound_end * frame_ms,
            round(word.confidence, 3),
        )

    def _caller(self, frames: int) -> int:
        return self._intake.caller_samples(frames * self._profile.frame_samples)

    def _loudness(self, first: int, last: int) -> Sequence[float]:
        """Mean power of the frames `first` to before `last` of the utterance."""
        begin, replay = self._intake.begin, self._intake.replay
        data = replay.read(begin + self._caller(first), begin + self._caller(last))
        samples = decode(self._audio, data).reshape(last - first, -1)
        power: list[float] = np.mean(samples * samples, axis=1).tolist()
        return power
