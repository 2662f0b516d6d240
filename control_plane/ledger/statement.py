"""What the centre says of a time: heads, sessions that it opened, policies in force (pure)."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.ledger import heads
from shared.ledger.allowed import Published
from shared.ledger.canonical import canonical
from shared.ledger.heads import Witnessed, key_hex, unsigned

HEADS, SESSIONS, WORLDS = "heads.jsonl", "sessions.jsonl", "worlds.jsonl"
STATEMENT = "statement.json"


class SessionLine(msgspec.Struct, frozen=True):
    """A session as the centre knows it: metadata alone."""

    session: str
    state: Literal["placed", "live", "ended"]
    """`placed`: a seat was found, and no node has said that the caller came."""
    node: str
    region: str
    boot: str
    tenant: str
    policy: str
    policy_version: str
    decision: str | None
    admitted_by: str
    at_ms: int
    ended_ms: int | None = None
    audio_ms: int = 0


class Span(msgspec.Struct, frozen=True):
    """A time, in milliseconds since 1970: from one moment up to another."""

    from_ms: int
    until_ms: int


class Statement(msgspec.Struct, frozen=True):
    """Binds the centre's three files together. `sig` is its own over all the rest."""

    format: int
    plane: str
    key: str
    """The centre's, 64 hex digits."""
    from_ms: int
    until_ms: int
    made_at_ms: int
    sha256: dict[str, str]
    sig: str = ""


def sign_world(published: Published, key: Ed25519PrivateKey) -> Published:
    """A version of the policies, signed."""
    sig = heads.sign(heads.WORLD, unsigned(published), key)
    return msgspec.structs.replace(published, sig=sig)


def centre_files(
    span: Span,
    seen: Iterable[Witnessed],
    sessions: Iterable[SessionLine],
    worlds: Iterable[Published],
    *,
    plane: str,
    made_at_ms: int,
    key: Ed25519PrivateKey,
) -> dict[str, bytes]:
    """The centre's files of a bundle, by name.

    Args:
        span: what time they are of.
        seen: all heads, in the centre's order; those that the time needs are taken.
        sessions: those of the time.
        worlds: every version that was ever in force.
        plane: who says so.
        made_at_ms: when, since 1970.
        key: the centre's.
    """
    files = {
        HEADS: _text(heads_of(span, seen)),
        SESSIONS: _text(sessions),
        WORLDS: _text(worlds),
    }
    sums = {name: sha256(data).hexdigest() for name, data in files.items()}
    said = Statement(1, plane, key_hex(key), span.from_ms, span.until_ms, made_at_ms, sums)
    sig = heads.sign(heads.STATEMENT, unsigned(said), key)
    return files | {STATEMENT: _text([msgspec.structs.replace(said, sig=sig)])}


def heads_of(span: Span, seen: Iterable[Witnessed]) -> list[Witnessed]:
    """Those within a time, and of each ledger the last one before it."""
    before: dict[str, Witnessed] = {}
    within = []
    for one in seen:
        if one.at_ms <= span.from_ms:
            before[one.head.log] = one
        elif one.at_ms <= span.until_ms:
            within.append(one)
    return [*before.values(), *within]


def read_heads(files: Mapping[str, bytes]) -> list[Witnessed]:
    """The heads again."""
    return [msgspec.json.decode(line, type=Witnessed) for line in files[HEADS].splitlines() if line]


def _text(lines: Iterable[msgspec.Struct]) -> bytes:
    return b"".join(canonical(line) + b"\n" for line in lines)
