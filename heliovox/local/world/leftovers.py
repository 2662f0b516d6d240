"""Processes of a world that could not take them down itself: written down, found and ended.

A process is known by its number and the moment it began: numbers are used again.
"""

import asyncio
import os
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from heliovox.local.home import Home, ProcessFile
from shared.files import write_private

END_S = 5.0
_POLL_S = 0.02
_GONE = {"Z", "X"}
"""States of processes that ended and that nobody has asked after yet."""


def born(pid: int) -> str:
    """When the process began, in the system's unit; empty where none is, or nothing is known."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()  # the name before may hold anything
    return "" if fields[0] in _GONE else fields[19]


def write_down(home: Home, processes: Sequence[tuple[str, int, Path]]) -> None:
    """Name, number and log of every process that runs now. Raises OSError."""
    rows = [ProcessFile(name, pid, str(log), born(pid)) for name, pid, log in processes]
    write_private(home.processes, msgspec.json.encode(rows))


async def clean_up(home: Home) -> list[str]:
    """Ends what an earlier world left running, and removes its `run` folder.

    Returns:
        The names of the processes that it ended.

    Raises:
        OSError: something there is not ours to remove.
    """
    left = [process for process in _written(home) if _lives(process)]
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in left:
            if _lives(process):
                with suppress(ProcessLookupError):
                    os.kill(process.pid, number)
        await _gone(left)
    home.file.unlink(missing_ok=True)
    if home.run.exists():
        shutil.rmtree(home.run)
    return [process.name for process in left]


def _written(home: Home) -> list[ProcessFile]:
    try:
        return msgspec.json.decode(home.processes.read_bytes(), type=list[ProcessFile])
    except FileNotFoundError:
        return []
    except msgspec.DecodeError:
        return []


def _lives(process: ProcessFile) -> bool:
    return bool(process.born) and born(process.pid) == process.born


async def _gone(processes: Sequence[ProcessFile]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(END_S):
            while any(map(_lives, processes)):  # noqa: ASYNC110 no children of ours: nobody tells
                await asyncio.sleep(_POLL_S)
