import base64
from pathlib import Path

import nkeys
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.credentials import (
    CredentialsRefused,
    Seed,
    ensure_seed,
    new_seed,
    read_seed,
    write_seed,
)


def test_each_seed_is_its_own_and_signs_for_its_public_key() -> None:
    one, other = new_seed(), new_seed()
    assert one.public_key != other.public_key
    assert one.public_key.startswith("U")
    assert len(one.public_key) == 56
    raw = base64.b32decode(one.public_key)[1:33]
    nkeys.nacl.signing.VerifyKey(raw).verify(b"nonce", one.sign(b"nonce"))


def test_a_seed_does_not_show_itself(tmp_path: Path) -> None:
    seed = new_seed()
    assert seed.reveal() not in f"{seed} {seed!r} {[seed]}"
    assert seed.public_key in str(seed)


def test_files_keep_it_for_their_owner(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "node.seed"
    made = ensure_seed(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert ensure_seed(path).reveal() == made.reveal() == read_seed(path).reveal()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "seed"
    write_seed(path, new_seed())
    path.chmod(mode)
    with pytest.raises(CredentialsRefused, match="read by others") as refused:
        read_seed(path)
    assert refused.value.remedy == f"chmod 600 {path}"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CredentialsRefused, match="No such file"):
        read_seed(tmp_path / "none")


@given(at=st.integers(0, 57), letter=st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_a_mistyped_seed_is_refused_and_not_repeated(at: int, letter: str) -> None:
    text = new_seed().reveal()
    mistyped = text[:at] + letter + text[at + 1 :]
    if mistyped == text:
        return
    with pytest.raises(ValueError, match="seed") as refused:
        Seed(mistyped)
    assert mistyped not in str(refused.value)


def test_a_seed_that_is_no_users_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "seed"
    for text in ("", "é", nkeys.encode_seed(bytes(32), nkeys.PREFIX_BYTE_ACCOUNT).decode()):
        path.write_text(text)
        path.chmod(0o600)
        with pytest.raises(CredentialsRefused, match="no user seed"):
            read_seed(path)
