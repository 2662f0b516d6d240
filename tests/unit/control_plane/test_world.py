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


def looked_twice(file: RegionsFile) -> None:
    file.look()
    file.look()


def test_a_change_that_passes_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "regions.yaml"
    path.write_text(GOOD)
    file, changed = watched(path)
    file.look()
    assert changed == []
    path.write_text(GOOD + "# more\n")
    looked_twice(file)
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
    looked_twice(file)
    looked_twice(file)
    assert (changed, file.now, file.refused) == ([], before, 1)
    assert file.fault
    path.write_text(GOOD)
    looked_twice(file)
    assert (file.now, file.fault) == (before, None)


def test_a_file_that_goes_away_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "regions.yaml"
    path.write_text(GOOD)
    file, changed = watched(path)
    path.unlink()
    looked_twice(file)
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


def test_a_file_that_is_being_written_is_left_alone_also_where_it_looks_well(
    tmp_path: Path,
) -> None:
    """Its rules stand at the end: the half that is there already would allow more."""
    path = tmp_path / "regions.yaml"
    path.write_text(GOOD)
    file, changed = watched(path)
    whole = GOOD + "# the end\n"
    without_rules = whole[: whole.index("rules:\n")]
    assert not WorldNow(without_rules, "f").world.rules
    with path.open("w") as writer:
        for piece in (without_rules, whole[len(without_rules) :]):
            _ = writer.write(piece)
            writer.flush()
            file.look()
            assert (changed, file.refused) == ([], 0)
    file.look()
    assert [world.text for world in changed] == [whole]


def test_what_is_cut_off_anywhere_is_refused_or_a_world_and_never_an_exception(
    tmp_path: Path,
) -> None:
    path = tmp_path / "regions.yaml"
    path.write_text(GOOD)
    file, changed = watched(path)
    for cut in range(0, len(GOOD), len(GOOD) // 40):
        path.write_text(GOOD[:cut])
        looked_twice(file)
        assert file.now.text in (GOOD, *(world.text for world in changed))
        assert (file.fault is None) == (file.now.text == GOOD[:cut])
    assert file.refused > 20


def test_a_file_that_is_written_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "regions.yaml"
    path.write_text(GOOD)
    file, changed = watched(path)
    path.write_text(GOOD + "# one\n")
    file.look()

    def read_and_write(at: Path) -> str:
        text = read_text(at)
        at.write_text(GOOD + "# another\n")
        return text

    with monkeypatch.context() as patch:
        patch.setattr("control_plane.world.read_text", read_and_write)
        file.look()
    assert (changed, file.refused) == ([], 0)
    looked_twice(file)
    assert [world.text for world in changed] == [GOOD + "# another\n"]
