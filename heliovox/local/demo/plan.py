"""What the demonstration will do: drawn before it begins. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from heliovox.local.calls import Recording, Where

STREAMS_PER_NODE = 4
"""Few, so that a node is filled in a moment."""
HOME, NEXT = "eu-central", "eu-west"
HURT = "ap-south"
EUROPE = (HOME, NEXT)


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who calls, and the region that serves him as long as all is well."""

    name: str
    where: Where
    region: str

    @property
    def policy(self) -> str:
        """The residency policy that holds for him."""
        return self.where.policy or ""


PARIS = Caller("Paris", Where((48.85, 2.35), "eu-only"), HOME)
MUMBAI = Caller("Mumbai", Where((19.08, 72.88), "in-only"), HURT)
SAO_PAULO = Caller("São Paulo", Where((-23.55, -46.63), "default"), "sa-east")
CALLERS = (PARIS, MUMBAI, SAO_PAULO)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that chance decides."""

    sentences: Sequence[str]
    """One for each caller."""
    voices: Sequence[str | None]
    """Taken in turn; None is the node's default."""
    people: Sequence[Recording] = ()
    people_problem: str = ""
    """Why there are no people, where there should be some."""
    recogniser: str | None = None
    """None for the one that ships."""
