import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.tenants.keys import KeyRecord, Keyring, decode_record, encode_record
from shared.errors import Forbidden, Unauthorised
from shared.keys import key_digest

NOW = "2026-01-01T00:00:00+00:00"


def record(name: str, key: str, *policies: str, revoked: str | None = None) -> KeyRecord:
    digest = key_digest(key)
    return KeyRecord(name, name, ("caller",), policies or ("*",), NOW, digest, revoked)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=5, unique=True), st.text())
def test_a_key_opens_its_own_door_only(keys: list[str], other: str) -> None:
    ring = Keyring(record(str(at), key) for at, key in enumerate(keys))
    for at, key in enumerate(keys):
        assert ring.who(key).name == str(at)
    if other not in keys:
        with pytest.raises(Unauthorised):
            ring.who(other)


def test_a_revoked_key_opens_nothing_and_is_granted_to_nobody() -> None:
    ring = Keyring([record("a", "k", revoked=NOW)])
    with pytest.raises(Unauthorised):
        ring.who("k")
    assert ring.grants() == ()


def test_a_record_without_a_hash_opens_nothing() -> None:
    with pytest.raises(Unauthorised):
        Keyring([KeyRecord("a", "a", ("caller",), ("*",), NOW, "")]).who("")


@pytest.mark.parametrize(
    ("policies", "asked", "holds"),
    [
        (("eu-only",), None, "eu-only"),
        (("eu-only", "default"), "default", "default"),
        (("*",), None, "default"),
        (("*",), "ksa-only", "ksa-only"),
        (("default", "*"), None, "default"),
        (("in-only", "*"), "anywhere", "anywhere"),
    ],
)
def test_which_policy_holds(policies: tuple[str, ...], asked: str | None, holds: str) -> None:
    assert record("a", "k", *policies).policy(asked, "default") == holds


def test_a_policy_that_the_key_does_not_permit_is_forbidden() -> None:
    with pytest.raises(Forbidden) as refused:
        record("a", "k", "eu-only").policy("anywhere", "default")
    assert (refused.value.field, refused.value.value) == ("policy", "anywhere")
    assert "eu-only" in (refused.value.remedy or "")


def test_only_a_hash_is_kept() -> None:
    kept = encode_record(record("a", "hvk_secret"))
    assert b"secret" not in kept
    assert decode_record(kept) == record("a", "hvk_secret")
