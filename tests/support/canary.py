"""A search for secrets in whatever form they may have taken, and in what was compressed."""

import base64
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_GZIP = b"\x1f\x8b\x08"
_DEEP = 3
"""Compressed in compressed, at most so often."""


def forms_of(secret: str) -> Mapping[str, bytes]:
    """What a secret looks like, by the name of the form; a to z are small where case may vary."""
    raw = secret.encode()
    found = {
        "plain": raw.lower(),
        "json": json.dumps(secret)[1:-1].encode().lower(),
        "url": quote(secret, safe="").encode().lower(),
        "path": quote(secret).encode().lower(),
        "form": quote_plus(secret).encode().lower(),
        "utf-16": secret.encode("utf-16-le").lower(),
        "hex": raw.hex().encode(),
    }
    for at in range(3):
        whole = base64.b64encode(bytes(at) + raw)
        # letters that neighbours have a part in are left out at both ends
        first, last = -(-at * 8 // 6), (at + len(raw)) * 8 // 6
        found[f"base64+{at}"] = whole[first:last]
        found[f"base64url+{at}"] = whole[first:last].translate(bytes.maketrans(b"+/", b"-_"))
    return found


def sightings(data: bytes, secrets: Mapping[str, str]) -> set[str]:
    """The secrets that are in the data, as `name (form)`."""
    found = set()
    for each in unpacked(data):
        small = each.lower()
        for name, secret in secrets.items():
            for form, wanted in forms_of(secret).items():
                if wanted in (each if form.startswith("base64") else small):
                    found.add(f"{name} ({form})")
    return found


def bytes_of(path: Path) -> bytes:
    """Of a file; none where it is gone meanwhile, as servers' own temporary ones are."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def unpacked(data: bytes, deep: int = _DEEP) -> Iterator[bytes]:
    """The data, and everything compressed that begins anywhere in it."""
    yield data
    if deep == 0:
        return
    for magic, window in (*((one, 15) for one in _ZLIB), (_GZIP, 31)):
        at = data.find(magic)
        while at >= 0:
            inflated = _inflated(data[at:], window)
            if len(inflated) > 4:
                yield from unpacked(inflated, deep - 1)
            at = data.find(magic, at + 1)


def _inflated(data: bytes, window: int) -> bytes:
    try:
        return zlib.decompressobj(window).decompress(data, 1 << 24)
    except zlib.error:
        return b""
