"""A pseudonym says who is the same caller, to whoever has the region's key, and nothing else."""

import hmac
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.pseudonyms import (
    PseudonymKey,
    PseudonymKeyRefused,
    ensure_pseudonym_key,
    read_pseudonym_key,
)

KEY, OTHER = PseudonymKey(bytes(32)), PseudonymKey(b"\1" * 32)
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=20)


@given(a=st.tuples(NAMES, NAMES), b=st.tuples(NAMES, NAMES))
def test_equal_for_the_same_caller_of_a_tenant_and_for_no_two_others(
    a: tuple[str, str], b: tuple[str, str]
) -> None:
    one, two = KEY.pseudonym(*a), KEY.pseudonym(*b)
    assert (one == two) == (a == b)
    assert one != OTHER.pseudonym(*a)
    assert len(one) == 32
    assert set(one) <= set("0123456789abcdef")


def test_it_is_what_the_documents_say() -> None:
    expected = hmac.new(bytes(32), b"acme\0+49 30 1", sha256).hexdigest()[:32]
    assert KEY.pseudonym("acme", "+49 30 1") == expected


def test_a_fresh_key_is_for_its_owner_alone_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "pseudonyms"
    made = ensure_pseudonym_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert ensure_pseudonym_key(path).pseudonym("t", "c") == made.pseudonym("t", "c")
    other = ensure_pseudonym_key(tmp_path / "other")
    assert other.pseudonym("t", "c") != made.pseudonym("t", "c")


def test_a_key_does_not_show_itself(tmp_path: Path) -> None:
    key = ensure_pseudonym_key(tmp_path / "k")
    assert repr(key) == "PseudonymKey()"
    assert (tmp_path / "k").read_text().strip() not in f"{key!s} {vars(key)}".replace("\\x", "")


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (None, 0o600, "No such file"),
        ("00" * 32, 0o644, "can be read by others"),
        ("00" * 31, 0o600, "holds no key"),
        ("zz" * 32, 0o600, "holds no key"),
        ("", 0o600, "holds no key"),
        ("é" * 32, 0o600, "holds no key"),
    ],
)
def test_a_file_that_is_none_is_refused_without_its_text(
    tmp_path: Path, text: str | None, mode: int, said: str
) -> None:
    path = tmp_path / "key"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    with pytest.raises(PseudonymKeyRefused, match=said) as refused:
        read_pseudonym_key(path)
    assert refused.value.field == "content.pseudonym_key_file"
    assert refused.value.remedy
    assert not text or text not in str(refused.value)
