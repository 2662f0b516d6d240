"""What an earlier world left is ended; what only has the same number is not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from heliovox.local.home import Home, ProcessFile
from heliovox.local.world.leftovers import born, clean_up, write_down

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


async def test_what_was_written_down_is_ended(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    home = Home(tmp_path)
    write_down(home, [("node", sleeper.pid, tmp_path / "log")])
    home.file.write_text("{}")
    assert await clean_up(home) == ["node"]
    assert sleeper.wait() != 0
    assert not home.run.exists()
    assert not home.file.exists()


async def test_a_later_process_with_the_same_number_is_left_alone(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    home = Home(tmp_path)
    write_down(home, [])
    row = ProcessFile("node", sleeper.pid, "log", born="1")
    home.processes.write_bytes(msgspec.json.encode([row]))
    assert await clean_up(home) == []
    assert sleeper.poll() is None


async def test_nothing_is_left_of_nothing(tmp_path: Path) -> None:
    assert await clean_up(Home(tmp_path)) == []
    home = Home(tmp_path)
    write_down(home, [("gone", 2**22 + 1, tmp_path / "log")])
    home.processes.write_bytes(b"{")
    assert await clean_up(home) == []


def test_a_process_that_ended_was_never_born() -> None:
    assert born(os.getpid())
    assert born(2**22 + 1) == ""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert born(ended.pid) == "", "a process that nobody has asked after yet is gone too"
