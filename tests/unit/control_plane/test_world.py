from pathlib import Path

import pytest

from control_plane.world import RegionsFile, WorldNow, read_text, regions_path
from shared.clock import SystemClock
from shared.regions.composing import MAX_BYTES
from shared.regions.problems import RegionsRefused

GOOD = read_text(regions_path(None))


def watched(path: Path) -> tuple[RegionsFile, list[WorldNow]]:
    changed: list[WorldNow] = []
    return RegionsFile(path, SystemClock(), changed.append), changed


def test_a_change_that_passes_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "regions.yaml"
    path.write_text(GOOD)
    file, changed = watched(path)
    file.look()
    assert changed == []
    path.write_text(GOOD + "# more\n")
    file.look()
    assert [world.text for world in changed] == [GOOD + "# more\n"]
    assert file.now is changed[0]
    assert file.fault is None


@pytest.mark.parametrize("bad", ["{", "moon: {}", "\x00", "", "[]", "x" * 2_000_000])
def test_a_change_that_does_not_pass_changes_nothing(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "regions.yaml"
    path.write_text(GOOD)
    file, changed = watched(path)
    before = file.now
    path.write_text(bad)
    file.look()
    file.look()
    assert (changed, file.now, file.refused) == ([], before, 1)
    assert file.fault
    path.write_text(GOOD)
    file.look()
    assert (file.now, file.fault) == (before, None)


def test_a_file_that_goes_away_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "regions.yaml"
    path.write_text(GOOD)
    file, changed = watched(path)
    path.unlink()
    file.look()
    assert (changed, file.refused) == ([], 1)


def test_there_must_be_a_good_one_at_first(tmp_path: Path) -> None:
    path = tmp_path / "regions.yaml"
    with pytest.raises(OSError, match=r"regions\.yaml"):
        watched(path)
    path.write_text("moon: {}")
    with pytest.raises(RegionsRefused, match=r"regions\.yaml"):
        watched(path)


def test_nothing_is_read_that_no_node_would_take(tmp_path: Path) -> None:
    path = tmp_path / "regions.yaml"
    path.write_text(GOOD + "#" * MAX_BYTES)
    with pytest.raises(ValueError, match=str(MAX_BYTES)):
        read_text(path)
