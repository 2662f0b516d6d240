import hashlib
from base64 import b64decode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)

from control_plane.signing import SigningKeyRefused, fingerprint, public_key_path, signing_key


def test_a_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "signing.pem"
    key = signing_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert signing_key(path).private_bytes_raw() == key.private_bytes_raw()


def test_the_public_half_lies_beside_it_and_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "signing.pem"
    key = signing_key(path)
    beside = public_key_path(path)
    assert load_pem_public_key(beside.read_bytes()) == key.public_key()
    assert b"PRIVATE" not in beside.read_bytes()
    beside.write_text("something else")
    signing_key(path)
    assert load_pem_public_key(beside.read_bytes()) == key.public_key()


def test_its_fingerprint_is_that_of_the_file_which_nodes_have(tmp_path: Path) -> None:
    """By hand: openssl pkey -pubin -in signing.pub.pem -outform DER | sha256sum."""
    key = signing_key(tmp_path / "signing.pem")
    pem = public_key_path(tmp_path / "signing.pem").read_text().splitlines()
    der = b64decode("".join(pem[1:-1]))
    assert fingerprint(key) == hashlib.sha256(der).hexdigest()[:12]


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "signing.pem"
    signing_key(path)
    path.chmod(0o640)
    with pytest.raises(SigningKeyRefused, match="others may read"):
        signing_key(path)


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n", b"\xff\xfe"])
def test_what_is_no_key_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "signing.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SigningKeyRefused, match=r"signing\.pem"):
        signing_key(path)
    assert path.read_bytes() == content


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "signing.pem"
    other = generate_private_key(SECP256R1())
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    with pytest.raises(SigningKeyRefused, match="Ed25519"):
        signing_key(path)
