"""A child process: announced, watched, ended."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from heliovox.local.world.child import Child, ChildFailed, in_words

pytestmark = pytest.mark.anyio
READY = 'print(\'{"event": "ready", "url": "u"}\', flush=True)'
LIMIT_S = 30.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def python(*lines: str) -> list[str]:
    return [sys.executable, "-c", "\n".join(lines)]


def child(folder: Path) -> Child:
    return Child("node", folder / "logs" / "node.log", dict(os.environ))  # noqa: TID251


async def test_it_is_ready_once_it_says_so(tmp_path: Path) -> None:
    one = child(tmp_path)
    await one.start(python("print('not json')", "print('[1]')", READY, "input()"))
    assert (await one.ready(LIMIT_S))["url"] == "u"
    assert one.pid is None or one.pid > 0
    await one.stop()
    assert one.pid is None


async def test_one_that_ends_before_says_what_it_logged(tmp_path: Path) -> None:
    one = child(tmp_path)
    await one.start(python("import sys", "sys.exit('no such model')"))
    with pytest.raises(ChildFailed, match="exit code 1") as caught:
        await one.ready(LIMIT_S)
    assert "no such model" in str(caught.value)


async def test_one_that_is_not_ready_in_time(tmp_path: Path) -> None:
    one = child(tmp_path)
    await one.start(python("import time", "time.sleep(60)"))
    with pytest.raises(ChildFailed, match="not ready within"):
        await one.ready(0.05)
    await one.stop()


async def test_an_end_that_nobody_wished_for_is_told(tmp_path: Path) -> None:
    one = child(tmp_path)
    await one.start(python(READY, "import time", "time.sleep(60)"))
    await one.ready(LIMIT_S)
    assert one.pid is not None
    os.kill(one.pid, signal.SIGKILL)
    async with asyncio.timeout(LIMIT_S):
        failure = await one.ended()
    assert "killed by SIGKILL" in str(failure)
    assert not one.asked
    await one.stop()


async def test_one_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    one = child(tmp_path)
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    await one.start(python(stubborn, READY, "time.sleep(60)"))
    await one.ready(LIMIT_S)
    assert await one.stop(0.05) == -signal.SIGKILL
    assert one.asked


async def test_one_that_was_held_is_let_go_to_stop(tmp_path: Path) -> None:
    one = child(tmp_path)
    await one.start(python(READY, "import time", "time.sleep(60)"))
    await one.ready(LIMIT_S)
    assert one.pid is not None
    os.kill(one.pid, signal.SIGSTOP)
    assert await one.stop(LIMIT_S) == -signal.SIGTERM


async def test_one_that_was_never_started_stops_at_once(tmp_path: Path) -> None:
    assert await child(tmp_path).stop() is None
    assert await child(tmp_path).kill() is None


@pytest.mark.parametrize(
    ("code", "words"), [(3, "exit code 3"), (-9, "killed by SIGKILL"), (-200, "signal 200")]
)
def test_exit_codes_in_words(code: int, words: str) -> None:
    assert words in in_words(code)
