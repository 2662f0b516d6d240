"""Heads of ledgers: signed by the node, countersigned by the centre, published (pure)."""

from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.ledger.canonical import canonical

HEAD = b"heliovox ledger head 1\n"
WITNESS = b"heliovox ledger witness 1\n"
WORLD = b"heliovox ledger world 1\n"
STATEMENT = b"heliovox ledger statement 1\n"
"""Before what is signed, so that no signature passes for one of another kind."""


class Head(msgspec.Struct, frozen=True):
    """What a node says of its ledger: with this root it cannot have been another."""

    node: str
    region: str
    boot: str
    log: str
    """Names the ledger: the first 16 hex digits of its key's SHA-256."""
    key: str
    size: int
    root: str
    chain: str
    """The hash of the last record."""
    at_ms: int


class SignedHead(msgspec.Struct, frozen=True):
    """As it travels to the centre."""

    head: Head
    sig: str


class Witnessed(msgspec.Struct, frozen=True):
    """A head that the centre has seen. `sig` is its own over all the rest."""

    head: Head
    head_sig: str
    plane: str
    at_ms: int
    """By the centre's clock."""
    sig: str = ""


def log_of(key: str) -> str:
    """The name of the ledger that a key (in hex) signs."""
    return sha256(bytes.fromhex(key)).hexdigest()[:16]


def key_hex(key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    """The public half, 64 hex digits."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return public.public_bytes_raw().hex()


def sign(kind: bytes, value: object, key: Ed25519PrivateKey) -> str:
    """A signature over a value of some kind, in hex."""
    return key.sign(kind + canonical(value)).hex()


def signed(kind: bytes, value: object, sig: str, key: str) -> bool:
    """Whether a key (in hex) signed it."""
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        public.verify(bytes.fromhex(sig), kind + canonical(value))
    except (InvalidSignature, ValueError):
        return False
    return True


def sign_head(head: Head, key: Ed25519PrivateKey) -> SignedHead:
    """The node's part."""
    return SignedHead(head, sign(HEAD, head, key))


def witness(signed_head: SignedHead, plane: str, at_ms: int, key: Ed25519PrivateKey) -> Witnessed:
    """The centre's part."""
    seen = Witnessed(signed_head.head, signed_head.sig, plane, at_ms)
    return msgspec.structs.replace(seen, sig=sign(WITNESS, unsigned(seen), key))


def unsigned(value: msgspec.Struct) -> dict[str, object]:
    """What a `sig` beside it signs: everything else."""
    fields: dict[str, object] = msgspec.to_builtins(value)
    return {name: said for name, said in fields.items() if name != "sig"}
