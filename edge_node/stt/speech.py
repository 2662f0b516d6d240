"""Where speech begins and ends, from probabilities by window: pure, and on the 10 ms grid."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.audio import MODEL_RATE_HZ, grid_samples

WINDOW_SAMPLES = 512
"""32 ms at 16 kHz: what one probability is about."""
WINDOWS_PER_STEP = 10
"""One size of step: a step of another size would round otherwise, in the last bits."""
STEP_SAMPLES = WINDOW_SAMPLES * WINDOWS_PER_STEP
"""320 ms, as a step of the recogniser that ships."""

_GRID_SAMPLES = grid_samples(MODEL_RATE_HZ)


@dataclass(frozen=True, slots=True)
class SpeechRules:
    """When windows become speech. Two thresholds, so that a wavering voice is not cut up."""

    begin_probability: float = 0.5
    """A window at least this likely may begin speech. Higher: less noise, later and fewer words."""
    end_probability: float = 0.35
    """Speech goes on while windows are at least this likely."""
    begin_windows: int = 3
    """So many in a row begin speech: 96 ms. More: fewer clicks and bangs, later."""
    end_windows: int = 16
    """So many in a row end it: 512 ms. Fewer: pauses within a sentence end it."""
    margin_samples: int = 1600
    """Kept before the first and after the last window: 100 ms, for soft consonants."""


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """Speech, from this sample at 16 kHz."""

    sample: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """No speech from this sample at 16 kHz."""

    sample: int


class SpeechFinder:
    """Probabilities in, changes out; equal probabilities, equal changes, however they come."""

    def __init__(self, rules: SpeechRules | None = None) -> None:
        self._rules = rules or SpeechRules()
        self._window = 0
        self._run = 0  # windows in a row that speak for a change
        self._ended = 0  # nothing begins before this
        self.speaking = False

    def push(self, probabilities: Iterable[float]) -> list[SpeechBegan | SpeechEnded]:
        """The changes that these windows settle, in order."""
        changes = (self._one(float(probability)) for probability in probabilities)
        return [change for change in changes if change is not None]

    def finish(self) -> list[SpeechEnded]:
        """The end of the audio ends speech."""
        if not self.speaking:
            return []
        self.speaking = False
        return [SpeechEnded(self._window * WINDOW_SAMPLES)]

    def _one(self, probability: float) -> SpeechBegan | SpeechEnded | None:
        rules = self._rules
        self._window += 1
        if self.speaking:
            against = probability < rules.end_probability
            needed = rules.end_windows
        else:
            against = probability >= rules.begin_probability
            needed = rules.begin_windows
        self._run = self._run + 1 if against else 0
        return self._change() if self._run == needed else None

    def _change(self) -> SpeechBegan | SpeechEnded:
        """The run's first window is where it changed; the margin leans towards more speech."""
        first = (self._window - self._run) * WINDOW_SAMPLES
        self._run = 0
        self.speaking = not self.speaking
        if self.speaking:
            return SpeechBegan(max(self._ended, _floor(first - self._rules.margin_samples)))
        latest = self._window * WINDOW_SAMPLES
        self._ended = _floor(min(first + self._rules.margin_samples, latest))
        return SpeechEnded(self._ended)


def _floor(sample: int) -> int:
    """Down to the 10 ms grid."""
    return sample // _GRID_SAMPLES * _GRID_SAMPLES
