"""The key of a ledger: made once, its owner's alone."""

from pathlib import Path

import pytest

from edge_node.ledger.key import LedgerKeyRefused, ledger_key
from shared.ledger.heads import key_hex


def test_it_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "ledger" / "ledger.key"
    first = key_hex(ledger_key(path))
    assert key_hex(ledger_key(path)) == first
    assert path.stat().st_mode & 0o777 == 0o600


def test_one_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.key"
    ledger_key(path)
    path.chmod(0o640)
    with pytest.raises(LedgerKeyRefused, match="others may read it"):
        ledger_key(path)


@pytest.mark.parametrize("text", ["", "no key"])
def test_what_is_no_key_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ledger.key"
    path.touch(0o600)
    path.write_text(text)
    with pytest.raises(LedgerKeyRefused, match=str(path)):
        ledger_key(path)
