"""A world's folder: held by one, found by others, let go of by the dead."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from heliovox.local.home import Home, NodeFile, WorldFile, WorldHeld, held


def written(home: Home) -> WorldFile:
    world = WorldFile(
        name="world",
        folder=str(home.folder),
        pid=os.getpid(),
        control="http://127.0.0.1:8400",
        control_pid=1,
        key_file=str(home.run / "caller.key"),
        operator_key_file=str(home.run / "operator.key"),
        nodes=(NodeFile("eu-central-1", "eu-central", "http://127.0.0.1:9", 2),),
        buses=(),
        logs=str(home.logs),
    )
    home.file.write_bytes(msgspec.json.encode(world))
    return world


@pytest.mark.parametrize(
    ("environ", "name", "folder"),
    [
        ({"HELIOVOX_HOME": "/h"}, None, "/h"),
        ({"HELIOVOX_HOME": "/h"}, "two", "/h/worlds/two"),
        ({"XDG_STATE_HOME": "/s"}, None, "/s/heliovox/world"),
        ({}, None, "/u/.local/state/heliovox/world"),
    ],
)
def test_where_a_world_lives(environ: dict[str, str], name: str | None, folder: str) -> None:
    assert Home.of(environ, Path("/u"), name).folder == Path(folder)


def test_a_world_is_seen_as_long_as_it_lives(tmp_path: Path) -> None:
    home = Home(tmp_path / "h")
    assert home.world() is None
    with held(home):
        assert home.world() is None, "not ready yet"
        assert home.world() is None
        world = written(home)
        assert home.world() == world
    assert home.world() is None
    assert not home.lock.exists()


def test_a_second_world_is_refused_and_told_of_the_first(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with held(home):
        with pytest.raises(WorldHeld, match=str(os.getpid())), held(home):
            raise AssertionError
        assert home.lock.exists()
    with held(home):
        pass


def test_a_world_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path)
    source = (
        "import sys, time; from pathlib import Path; from heliovox.local.home import Home, held\n"
        "with held(Home(Path(sys.argv[1]))): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", source, tmp_path], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    with holder, holder.stdout:
        assert holder.stdout.readline() == b"held\n"
        written(home)
        assert home.world() is not None
        with pytest.raises(WorldHeld), held(home):
            raise AssertionError
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert home.lock.exists(), "it could not clean up"
    assert home.world() is None
    with held(home):
        pass


def test_a_world_file_that_is_none_is_no_world(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with held(home):
        home.file.write_text("{")
        assert home.world() is None
