"""Recovery tokens: which of them is good, and when one is used up (pure: randomness is passed in).

A token is good once: whoever goes on with it is given the next one. But he may lose his connection
before the next one reaches him, so the one that he showed stays good until he has shown that the
next one came. Nodes keep, and tell, only what a token is known by.
"""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest

SECRET_BYTES = 32
"""Of randomness in a token: nobody guesses 256 bits."""


def make_token(secret: bytes) -> str:
    """A token of random bytes."""
    return urlsafe_b64encode(secret).rstrip(b"=").decode("ascii")


def known_by(token: str) -> str:
    """What a token is known by: its SHA-256, in hex."""
    return sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Mark:
    """A token, without the token."""

    number: int = 0
    sha256: str = ""

    def fits(self, digest: str) -> bool:
        """In a time that does not tell how much of it fits."""
        return compare_digest(self.sha256, digest) and bool(self.sha256)


class Tokens:
    """Those of one session.

    Args:
        shown: with which its caller came, where another node had the session before.
    """

    def __init__(self, shown: Mark | None = None) -> None:
        self.shown = Mark() if shown is None else shown
        """The latest that the caller surely has."""
        self.latest = self.shown

    def give(self, token: str) -> Mark:
        """The next one, which perhaps does not reach him."""
        self.latest = Mark(self.shown.number + 1, known_by(token))
        if not self.shown.number:
            self.shown = self.latest  # he can have no other
        return self.latest

    def came(self) -> None:
        """The caller has shown that he has the latest: the one before it is used up."""
        self.shown = self.latest

    def good(self, digest: str) -> bool:
        """Whether a session goes on with a token that is known by this."""
        shown, latest = self.shown.fits(digest), self.latest.fits(digest)
        return shown or latest
