import stat
from pathlib import Path

import pytest

from edge_node.key_store import KeyStore
from edge_node.keys import KeysUnreadable
from shared.files import write_private


def test_a_key_lives_in_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "state" / "keys.json"
    store = KeyStore(path)
    key = store.add("me")
    assert store.knows(key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key not in path.read_text()
    assert KeyStore(path).knows(key)


def test_two_keys_differ(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.json")
    assert store.add("a") != store.add("b")


def test_a_running_node_follows_the_file(tmp_path: Path) -> None:
    running, other = KeyStore(tmp_path / "keys.json"), KeyStore(tmp_path / "keys.json")
    key = other.add("late")
    assert not running.knows(key)
    running.tick()
    assert running.knows(key)
    other.revoke("late")
    running.tick()
    assert not running.knows(key)


def test_two_writers_do_not_lose_each_others_keys(tmp_path: Path) -> None:
    first, second = KeyStore(tmp_path / "keys.json"), KeyStore(tmp_path / "keys.json")
    keys = first.add("a"), second.add("b"), first.add("c")
    assert all(KeyStore(tmp_path / "keys.json").knows(key) for key in keys)


def test_a_spoilt_file_does_not_lock_callers_out(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.json")
    key = store.add("me")
    write_private(store.path, b"{")
    store.tick()
    assert store.knows(key)
    with pytest.raises(KeysUnreadable, match=r"keys\.json"):
        KeyStore(store.path)


def test_nothing_is_left_behind_where_writing_fails(tmp_path: Path) -> None:
    (tmp_path / "keys.json").mkdir()
    with pytest.raises(OSError, match="keys"):
        write_private(tmp_path / "keys.json", b"x")
    assert [each.name for each in tmp_path.iterdir()] == ["keys.json"]
