"""Whether somebody spoke where the recogniser claims words: a second opinion, asked for seldom.

A recogniser that knows nothing but words hears some in music and machines. So wherever it claims
one, a voice activity model listens to the same audio, from a second before; words at which it
hears nobody are left out. Where no words are claimed it does not run: silence costs nothing. Once
it heard somebody, the recogniser is believed for a while: speech costs little.

A gate starts afresh with every utterance, as the recogniser's stream does: what it says is a
function of the utterance's samples and of when words were claimed in them.
"""

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_node.stt.engine import Samples
from edge_node.stt.speech import STEP_SAMPLES, WINDOW_SAMPLES, WINDOWS_PER_STEP

if TYPE_CHECKING:  # it brings onnxruntime, which a node without the model need not load
    from edge_node.stt.vad import VadStream


@dataclass(frozen=True, slots=True)
class GateRules:
    """When a word counts as spoken."""

    probability: float = 0.5
    """A window at least this likely holds speech. Higher: fewer invented words, soft ones lost."""
    windows: int = 2
    """So many windows around the word must hold speech: 64 ms."""
    before_samples: int = 7680
    """How far before the word's first token they may lie: 480 ms, as tokens come late."""
    after_samples: int = 2560
    """How far behind its last: 160 ms."""
    look_back_steps: int = 3
    """So many steps before the claim are listened to, a second: the model must settle first."""
    linger_steps: int = 3
    """So many steps after the last claim it goes on: another word would begin it anew."""
    trust_steps: int = 12
    """Once it heard speech, so many steps count as speech unheard. More: cheaper, by a quarter of
    the model's cost at 12; noise that follows on speech is believed for so long."""
    peak: float = 0.3
    """What is listened to is raised to this level: the model misses soft voices otherwise."""
    most_gain: float = 30.0
    """But not by more than 30 dB: what is softer is no voice."""


class Gate:
    """Follows one stream, and says which audio the voice activity model has to hear."""

    def __init__(self, rules: GateRules, caller_hz: int) -> None:
        self.caller_hz = caller_hz
        self.vad: VadStream | None = None
        """The model's own memory of the stream, kept here by who runs the model."""
        self._rules = rules
        self.restart()

    def restart(self) -> None:
        """A new utterance."""
        self.vad = None
        self._due: list[Samples] = []
        self._rest = np.empty(0, np.float32)
        self._held: deque[Samples] = deque(maxlen=self._rules.look_back_steps)
        self._steps = 0
        self._since_claim: int | None = None
        """Steps since words were claimed; None while the model does not listen."""
        self._trusted_steps = 0
        self._loudest = 0.0
        self._next_window = 0
        self._found = 0
        """Windows with speech since the model began to listen."""
        self._holds_speech: dict[int, bool] = {}

    def hear(self, samples: Samples, *, claimed: bool) -> None:
        """The audio of one step of the recogniser, and whether it claimed words in it."""
        steps = self._whole_steps(samples)
        if claimed and self._since_claim is None and not self._trusted_steps:
            self._begin()
        for step in steps:
            self._held.append(step)
            if self._trusted_steps:
                self._trust()
            elif self._since_claim is not None:
                self._listen(step)
                self._since_claim += 1
            self._steps += 1
        if self._since_claim is not None:
            late = self._since_claim >= self._rules.linger_steps
            self._since_claim = 0 if claimed else None if late else self._since_claim

    def take_due(self) -> list[Samples]:
        """Steps of audio that the model must hear now, in order; `vad` is None for a fresh one."""
        due, self._due = self._due, []
        return due

    def saw(self, probabilities: Samples) -> None:
        """What the model says of the next of these steps."""
        for probability in probabilities:
            speech = bool(probability >= self._rules.probability)
            self._holds_speech[self._next_window] = speech
            self._found += speech
            self._next_window += 1
        if self._found >= self._rules.windows:
            self._since_claim, self._trusted_steps = None, self._rules.trust_steps

    def spoken(self, first_sample: int, end_sample: int) -> bool:
        """Whether somebody spoke where a word's tokens lie, from the first to before the end.

        Where the model has not heard all of it, the recogniser is believed.
        """
        first = max(0, first_sample - self._rules.before_samples) // WINDOW_SAMPLES
        last = (end_sample + self._rules.after_samples - 1) // WINDOW_SAMPLES
        seen = [self._holds_speech.get(window) for window in range(first, last + 1)]
        return seen.count(True) >= self._rules.windows or None in seen

    def _whole_steps(self, samples: Samples) -> list[Samples]:
        audio = np.concatenate([self._rest, samples])
        whole = len(audio) // STEP_SAMPLES * STEP_SAMPLES
        self._rest = audio[whole:]
        return list(audio[:whole].reshape(-1, STEP_SAMPLES))

    def _begin(self) -> None:
        self.vad, self._loudest, self._found = None, 0.0, 0
        self._since_claim = 0
        self._next_window = self._here - len(self._held) * WINDOWS_PER_STEP
        for step in self._held:
            self._listen(step)

    @property
    def _here(self) -> int:
        """The first window that has not come yet."""
        return self._steps * WINDOWS_PER_STEP

    def _trust(self) -> None:
        self._trusted_steps -= 1
        windows = range(self._here, self._here + WINDOWS_PER_STEP)
        self._holds_speech.update(dict.fromkeys(windows, True))

    def _listen(self, step: Samples) -> None:
        """Raised to the loudest so far: a soft voice is heard, and a loud one not clipped."""
        rules = self._rules
        self._loudest = max(self._loudest, float(np.max(np.abs(step))))
        gain = min(rules.most_gain, max(1.0, rules.peak / max(self._loudest, 1e-9)))
        self._due.append(step * np.float32(gain))
