"""From the caller's bytes to the engine's samples, for one utterance at a time.

Every utterance starts afresh: its first sample meets an empty resampler, so what the engine hears
is a function of the caller's samples from the boundary on, and of nothing else.
"""

import numpy as np

from edge_node.sessions.replay import Replay
from edge_node.stt.engine import Profile, Samples
from heliovox.protocol.audio import AudioFormat
from shared.audio import Resampler, decode


class Intake:
    """Feeds step after step of an utterance; knows how much audio the next one needs.

    Args:
        audio: the caller's.
        profile: the engine's.
        start: the session's position of the first sample that will come.
    """

    def __init__(self, audio: AudioFormat, profile: Profile, start: int = 0) -> None:
        self.replay = Replay(audio.bytes_per_sample, start)
        self._audio, self._profile = audio, profile
        self.begin = start
        """Where the utterance starts, in the caller's samples."""
        self.restart(start)

    def restart(self, begin: int) -> None:
        """A new utterance from the caller's sample `begin`; audio before it is released."""
        self.replay.release(begin)
        self.begin = begin
        self._fed = begin
        self._steps = 0
        self._accepted = 0
        self._drained = False
        rate, model_rate = self._audio.sample_rate, self._profile.sample_rate
        self._resampler = None if rate == model_rate else Resampler(rate, model_rate)

    @property
    def fed(self) -> int:
        """The caller's position up to which audio has gone to the engine."""
        return self._fed

    @property
    def heard_samples(self) -> int:
        """Engine samples of the utterance whose tokens are out."""
        return max(0, self._steps * self._profile.chunk_samples - self._profile.delay_samples)

    def needs(self) -> int:
        """The caller's position up to which audio must have come for the next step."""
        profile = self._profile
        wanted = (self._steps + 1) * profile.chunk_samples + profile.edge_samples
        if self._resampler is None:
            return self.begin + wanted
        rate = self._audio.sample_rate
        return self.begin - (-wanted * rate // profile.sample_rate) + self._resampler.delay_samples

    def next_step(self) -> Samples:
        """The samples of the next step, which must have come."""
        samples = self._take(self.needs())
        self._steps += 1
        return samples

    def tail_is_out(self, end: int) -> bool:
        """Whether every token before the caller's sample `end` has come out."""
        length = self.engine_samples(end - self.begin)
        return end == self.begin or self.heard_samples >= length + self._profile.tail_samples

    def next_tail(self, end: int) -> Samples | None:
        """The next step's samples where the utterance ends at the caller's sample `end`.

        The rest of the audio first, silence after it; None once every token before `end` is out.
        """
        profile = self._profile
        if self.tail_is_out(end):
            return None
        wanted = (self._steps + 1) * profile.chunk_samples + profile.edge_samples
        pieces = [self._take(min(end, self.needs()))]
        if self._fed == end:
            pieces.append(self._drain())
            silence = np.zeros(max(0, wanted - self._accepted), np.float32)
            self._accepted += len(silence)
            pieces.append(silence)
        self._steps += 1
        return np.concatenate(pieces)

    def _take(self, upto: int) -> Samples:
        if upto <= self._fed:
            return np.zeros(0, np.float32)
        samples = decode(self._audio, self.replay.read(self._fed, upto))
        self._fed = upto
        if self._resampler is not None:
            samples = self._resampler.push(samples)
        self._accepted += len(samples)
        return samples

    def _drain(self) -> Samples:
        """What the resampler still holds at the end of an utterance, once."""
        if self._resampler is None or self._drained:
            return np.zeros(0, np.float32)
        self._drained = True
        samples = self._resampler.finish()
        self._accepted += len(samples)
        return samples

    def engine_samples(self, samples: int) -> int:
        """The caller's samples counted at the engine's rate, rounded up."""
        return -(-samples * self._profile.sample_rate // self._audio.sample_rate)

    def caller_samples(self, samples: int) -> int:
        """The engine's samples counted at the caller's rate; exact on every 10 ms."""
        return samples * self._audio.sample_rate // self._profile.sample_rate
