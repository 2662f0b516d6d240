"""What a server says when it denies something, and what was denied so far."""

import re
from dataclasses import dataclass

_DENIED = re.compile(r'permissions violation for (publish|subscription) to "([^"]*)"')
_UNKNOWN = ("authorization violation", "authentication", "nkey")
_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Denial:
    """One thing that was not permitted."""

    kind: str
    """`publish` or `subscription`."""
    subject: str
    """In lower case: so the client library hands it on."""

    def __str__(self) -> str:
        return f"{self.kind} to {self.subject}"


def denial_of(text: str) -> Denial | None:
    """What an error of the server denies; None where it is about something else."""
    found = _DENIED.search(text.lower())
    return None if found is None else Denial(found[1], found[2])


def is_unknown_to_server(text: str) -> bool:
    """Whether an error says that the credentials are wrong, missing or withdrawn."""
    return any(word in text.lower() for word in _UNKNOWN)


class Denials:
    """How often, and which."""

    def __init__(self) -> None:
        self.count = 0
        self.deaf = False
        """Our own inbox is denied: no answer will ever come."""
        self._known: set[Denial] = set()

    def add(self, denial: Denial) -> bool:
        """Counts it. Returns whether it is news, so that it is logged once."""
        self.count += 1
        if denial in self._known or len(self._known) >= _REMEMBERED:
            return False
        self._known.add(denial)
        return True

    def has(self, kind: str, subject: str) -> bool:
        """Whether this was denied."""
        return Denial(kind, subject.lower()) in self._known

    def forget(self, kind: str, subject: str) -> None:
        """Asked anew."""
        self._known.discard(Denial(kind, subject.lower()))
