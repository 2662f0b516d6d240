"""A circuit breaker as a value: closed, open, half open. Pure; time is handed in."""

from dataclasses import dataclass, replace
from enum import Enum


class State(Enum):
    """What a breaker lets through."""

    CLOSED = "closed"
    """Everything."""
    OPEN = "open"
    """Nothing, until it has rested."""
    HALF_OPEN = "half open"
    """One trial is under way, and nothing else."""


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """When a breaker opens, and for how long."""

    failures: int = 3
    """In a row that open it. Fewer switch sooner, and for lesser reasons."""
    rest_s: float = 30.0
    """From opening to the next trial."""
    trial_s: float = 10.0
    """After which a trial that nobody ended counts as lost, and another may begin."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """Guards one instance of a voice. Every change is a new value."""

    rules: BreakerRules = BreakerRules()
    state: State = State.CLOSED
    failures: int = 0
    since_s: float = 0.0
    """When it opened, or its trial began."""

    def admits(self, now_s: float) -> bool:
        """Whether a call may be made now."""
        if self.state is State.CLOSED:
            return True
        wait_s = self.rules.rest_s if self.state is State.OPEN else self.rules.trial_s
        return now_s - self.since_s >= wait_s

    def began(self, now_s: float) -> "Breaker":
        """After an admitted call began: from open it is the trial."""
        if self.state is State.CLOSED:
            return self
        return replace(self, state=State.HALF_OPEN, since_s=now_s)

    def succeeded(self) -> "Breaker":
        """After a call that went well: closed, and the count starts again."""
        if self.state is State.OPEN:  # a call from before it opened says nothing of now
            return self
        return Breaker(self.rules)

    def failed(self, now_s: float) -> "Breaker":
        """After a call that went wrong: a failed trial opens it at once."""
        failures = self.failures + 1
        if self.state is State.CLOSED and failures < self.rules.failures:
            return replace(self, failures=failures)
        if self.state is State.OPEN:
            return self
        return replace(self, state=State.OPEN, failures=failures, since_s=now_s)
