"""From a decision to a seat: whom to ask next, and when to stop. Time and answers are handed in.

    decided --> asking --granted--> seated
                  |  ^
         refused, |  | another candidate, attempt and moment are left
         silent   v  |
                  +--+ --none is left--> given up

Only a decision's own candidates are ever asked, so nothing that nodes answer can widen it.
"""

from typing import Literal

import msgspec

from control_plane.placement.decision import Candidate, Decision
from control_plane.placement.refusal import nobody_gave, refusal
from shared.errors import NoRoom, NotAllowed
from shared.exchange import Reserved

Verdict = Literal["granted", "refused", "silent"]
NONSENSE = "nonsense"
"""In a story: an answer that speaks for another node. It counts as none."""


class Limits(msgspec.Struct, frozen=True):
    """How long a caller is kept before he is told something."""

    answer_s: float = 0.5
    """For one node. A live one answers within a round trip and some milliseconds; more patience
    makes a dead one cost more."""
    overall_s: float = 2.0
    """For all of them together."""
    attempts: int = 4


class Ask(msgspec.Struct, frozen=True):
    """Ask this node for a seat, and wait so long for its answer."""

    candidate: Candidate
    limit_s: float


class Seated(msgspec.Struct, frozen=True):
    """A node holds a seat: sign a ticket for it."""

    candidate: Candidate
    answer: Reserved


class GivenUp(msgspec.Struct, frozen=True):
    """Nobody holds one: tell the caller, or let him wait where his policy waits."""

    error: NoRoom | NotAllowed


Step = Ask | Seated | GivenUp


def verdict(candidate: Candidate, answer: Reserved | None) -> Verdict:
    """What an answer says; one that speaks for another node says nothing."""
    if answer is None or answer.node != candidate.node:
        return "silent"
    return "granted" if answer.granted else "refused"


class Attempts:
    """The attempts of one placement. `step` is what to do now.

    Args:
        decision: as `decide` returned it.
        now_s: the centre's monotonic clock.
        limits: when to stop.
    """

    def __init__(self, decision: Decision, now_s: float, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._decision = decision
        self._tried = 0
        self._most = min(self._limits.attempts, len(decision.tries))
        self._until_s = now_s + self._limits.overall_s
        self._story: list[str] = []
        self._unsure: list[Candidate] = []
        self.step: Step = self._next(now_s)

    @property
    def story(self) -> tuple[str, ...]:
        """What was answered, in order: `node: code`, where `silent` is no answer in time."""
        return tuple(self._story)

    @property
    def unsure(self) -> tuple[Candidate, ...]:
        """Nodes that may hold a seat and could not say so: tell them to release it."""
        return tuple(self._unsure)

    def answered(self, answer: Reserved | None, now_s: float) -> Step:
        """What to do next.

        Args:
            answer: of the node that was to be asked; None where none came in time.
            now_s: when it came, or the waiting ended.

        Raises:
            ValueError: nobody was to be asked.
        """
        if not isinstance(self.step, Ask):
            raise ValueError(  # noqa: TRY004 the moment is wrong, not the type
                f"an answer came while {type(self.step).__name__}"
            )
        candidate = self.step.candidate
        said = verdict(candidate, answer)
        self._story.append(f"{candidate.node}: {_code(said, answer)}")
        if said == "silent":
            self._unsure.append(candidate)
        if said == "granted" and answer is not None:
            self.step = Seated(candidate, answer)
        else:
            self.step = self._next(now_s)
        return self.step

    def _next(self, now_s: float) -> Step:
        left_s = self._until_s - now_s
        if self._tried < self._most and left_s > 0:
            self._tried += 1
            candidate = self._decision.candidate(self._tried - 1)  # most ask the first alone
            return Ask(candidate, min(self._limits.answer_s, left_s))
        if self._decision.winner is None:
            return GivenUp(refusal(self._decision))
        return GivenUp(nobody_gave(self._decision, self.story))


def _code(said: Verdict, answer: Reserved | None) -> str:
    if said == "refused" and answer is not None:
        return answer.code or "refused"
    if said == "silent" and answer is not None:
        return NONSENSE
    return said
