"""A log gone through whole, in stretches, and by several processes."""

import functools
from pathlib import Path

import msgspec
import pytest

from control_plane.policies import stretches as cutting
from control_plane.policies.limits import Limits
from control_plane.policies.review import Review
from control_plane.policies.simulate import Options
from control_plane.policies.stretches import stretches
from control_plane.records.damage import LogDamaged
from control_plane.records.log import Mark, examine
from control_plane.simulating import Job, simulate
from shared.regions import Overflow, Policy, World
from shared.regions.model import RankingRules
from tests.support import simulated
from tests.support.fleets import world
from tests.support.logs import write
from tests.support.simulated import Hour


def narrow() -> World:
    """One whose mappings travel between processes."""
    return world("v2", anywhere=Policy("anywhere", ("eu",), Overflow(("eu",))))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("simulating") / "log"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulated, "RANKINGS", (RankingRules(),))
        write(path, Hour(seed=4, seconds=1500).batches())
    return path


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stretches of five minutes."""
    for name, ms in (("STRETCH_MS", 300_000), ("WARM_MS", 600_000), ("AFTER_MS", 60_000)):
        monkeypatch.setattr(cutting, name, ms)


def run(log: Path, proposed: World, processes: int = 1, **options: int) -> Review:
    job = Job(log, functools.partial(msgspec.structs.replace, proposed))
    return simulate(job, Options(**options), Limits(), processes=processes)


def test_stretches_count_every_session_once(log: Path, short: None) -> None:
    assert len(stretches(examine(log).marks, Options())) > 3
    cut = run(log, world())
    assert cut.total.sessions == cut.decisions
    assert (cut.total.moved, cut.total.refused, cut.skipped) == (0, 0, 0)


def test_stretches_and_processes_come_to_the_same(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(log, narrow())
    for name, ms in (("STRETCH_MS", 300_000), ("WARM_MS", 600_000), ("AFTER_MS", 60_000)):
        monkeypatch.setattr(cutting, name, ms)
    assert len(stretches(examine(log).marks, Options())) > 3
    one, two = run(log, narrow()), run(log, narrow(), processes=2)
    assert one == two
    assert one.total.sessions == whole.total.sessions
    assert one.total.placed_before == whole.total.placed_before
    assert abs(one.total.moved - whole.total.moved) < 0.1 * whole.total.moved
    assert abs(one.total.refused - whole.total.refused) < 0.2 * whole.total.refused


def test_damage_in_another_process_is_told_here(
    log: Path, short: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What only shows when a batch is read: its check is right, and it is none."""
    from control_plane.records.log import LogWriter  # noqa: PLC0415
    from tests.support.logs import HEADER, packed  # noqa: PLC0415

    odd = tmp_path / "odd"
    batches = list(Hour(seed=4, seconds=900).batches())
    with odd.open("wb") as file:
        writer = LogWriter(file, HEADER)
        for batch in batches[:-5]:
            writer.batch(batch, packed(batch))
        writer.batch(batches[-5], b"nothing")
        writer.end()
    with pytest.raises(LogDamaged, match="cannot be understood") as raised:
        run(odd, world(), processes=2)
    assert raised.value.damage.what == "unreadable"


def test_a_window_begins_in_time(log: Path, short: None) -> None:
    seen = run(log, narrow(), from_ms=700_000, until_ms=1_100_000)
    assert seen.first_ms is not None
    assert seen.last_ms is not None
    assert 700_000 <= seen.first_ms < 710_000
    assert 1_090_000 < seen.last_ms < 1_100_000


def test_stretches_are_the_same_whatever_runs_them() -> None:
    hour_ms = 3_600_000
    marks = [Mark(at * 100, at, at * hour_ms // 4) for at in range(4 * 24)]
    parts = stretches(marks, Options())
    assert len(parts) == 4
    assert parts[0].begin is None
    assert [one.options.from_ms for one in parts] == [None, *(at * 6 * hour_ms for at in (1, 2, 3))]
    assert parts[-1].until_ms is None
    for one in parts[1:]:
        assert one.begin is not None
        assert one.options.from_ms is not None
        assert one.options.from_ms - one.begin.at_ms >= cutting.WARM_MS
    assert len(stretches(marks[: 4 * 8], Options())) == 1
    assert len(stretches([], Options())) == 1
