"""A node as a child process: started, waited for, and taken down whatever happens."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from heliovox.local.tether import tether

START_S = 60.0
"""Models load and warm up; a busy machine takes a while."""
STOP_S = 10.0
"""Nobody is connected any more when the node is asked to stop."""
_LOG_LINES = 5


class NodeFailed(Exception):
    """The node did not start; the message ends with the last lines that it logged."""


class RunningNode:
    """A node on this machine, with a key of its own."""

    def __init__(self, process: Process, url: str, key: str) -> None:
        self._process, self.url, self.key = process, url, key

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._process.pid

    async def stop(self) -> int:
        """Asks the node to stop, insists after STOP_S. Returns its exit code."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_S):
                return await self._process.wait()
        except TimeoutError:
            self._process.kill()
            return await self._process.wait()


@asynccontextmanager
async def node_process(*arguments: str) -> AsyncIterator[RunningNode]:
    """Runs `heliovox-edge serve` on a free port, with a state folder that goes with it.

    Args:
        arguments: further ones for `serve`.

    Raises:
        NodeFailed: it ended, or was not ready within START_S.
    """
    with TemporaryDirectory(prefix="heliovox-") as state:
        log = Path(state) / "log"
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "edge_node", "serve", "--json"),
                *("--port", "0", "--state-dir", state, *arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # Ctrl-C is for us; we tell the node
                preexec_fn=tether(),
            )
        try:
            yield await _ready(process, log)
        finally:
            if process.returncode is None:
                await asyncio.shield(RunningNode(process, "", "").stop())


async def _ready(process: Process, log: Path) -> RunningNode:
    key = ""
    try:
        async with asyncio.timeout(START_S):
            while (line := await _line(process)) is not None:
                if line.get("event") == "key":
                    key = line["key"]
                if line.get("event") == "ready":
                    return RunningNode(process, line["url"], key)
            code = await process.wait()
    except TimeoutError:
        raise NodeFailed(f"the node was not ready within {START_S:g} s\n{_end(log)}") from None
    raise NodeFailed(f"the node ended with exit code {code}\n{_end(log)}")


async def _line(process: Process) -> dict[str, str] | None:
    """What the node said on its standard output; None once it says no more."""
    assert process.stdout is not None
    if not (line := await process.stdout.readline()):
        return None
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _end(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return "\n".join(lines[-_LOG_LINES:])
