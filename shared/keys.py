"""Callers' keys as node and centre both make and hash them (pure)."""

from base64 import urlsafe_b64encode
from hashlib import sha256

KEY_BYTES = 32
PREFIX = "hvk_"
"""So that scanners of leaked secrets, and people, see what it is."""


def make_key(entropy: bytes) -> str:
    """A key from KEY_BYTES random bytes; fits a header and a subprotocol as it stands."""
    if len(entropy) != KEY_BYTES:
        raise ValueError(f"entropy has {len(entropy)} bytes, {KEY_BYTES} are needed")
    return PREFIX + urlsafe_b64encode(entropy).rstrip(b"=").decode("ascii")


def key_digest(key: str) -> str:
    """What is kept of a key: its SHA-256 in hex. 256 random bits need no salt."""
    return sha256(key.encode(errors="surrogatepass")).hexdigest()
