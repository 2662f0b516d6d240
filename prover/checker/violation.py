"""What the checker has to say against a decision."""

from typing import NamedTuple


class Violation(NamedTuple):
    """One thing that is not as the policy document says."""

    kind: str
    """`not_allowed_winner`, `reason`, `home`, ...: what is wrong, in a word."""
    detail: str
    """What was decided, and what should have been."""
