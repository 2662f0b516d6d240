"""When a node asks for a bundle again. Pure."""

from dataclasses import dataclass

PERIOD_S = 30.0
"""Between two looks for a new bundle, where no news comes and the one at hand lasts."""
HURRY_S = 1.0
"""Likewise, while there is no valid one, nobody answers, or another was announced."""
TRIES = 10
"""Answers that may be another bundle than the announced one. It may come from a control plane that
has not seen the change yet; that one announces it too, once it has."""


@dataclass(slots=True)
class Pursuit:
    """What is known of bundles elsewhere."""

    announced: str | None = None
    """A version that is out, and that the node does not have yet."""
    _tries: int = 0
    _unanswered: bool = False

    def heard(self, version: str | None, held: str | None) -> bool:
        """Whether to ask at once.

        Args:
            version: that was announced; None where the news cannot be read.
            held: the node's own.
        """
        known = version is not None and version == held
        self.announced, self._tries = (None, 0) if known else (version, TRIES)
        return not known

    def answered(self, held: str | None) -> None:
        """Somebody answered, and the node has `held` now."""
        self._unanswered = False
        self._tries -= 1
        if self.announced == held or self._tries <= 0:
            self.announced = None

    def unanswered(self) -> None:
        """Nobody did."""
        self._unanswered = True

    def pause_s(self, valid_s: float) -> float:
        """How long to wait where no news comes.

        Args:
            valid_s: how long the node may still admit by what it has.
        """
        if self._unanswered or self.announced is not None:
            return HURRY_S
        return min(PERIOD_S, max(HURRY_S, valid_s / 2))
