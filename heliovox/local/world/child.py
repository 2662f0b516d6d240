"""A service of ours as a child process: started, waited for, watched, and taken down."""

import asyncio
import json
import signal
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from heliovox.local.tether import tether

START_S = 90.0
"""Models load, warm up and are measured, several at once on a busy machine."""
STOP_S = 15.0
"""Sessions have their time to end first; see `settings.DRAIN_S`."""
_LOG_LINES = 8


class ChildFailed(Exception):
    """It did not start, or ended unasked; the message ends with the last lines that it logged."""


class Child:
    """A command that announces `{"event": "ready", ...}` on its standard output.

    Args:
        name: for people.
        log: takes its standard error.
        environ: its whole environment.
    """

    def __init__(self, name: str, log: Path, environ: Mapping[str, str]) -> None:
        self.name, self.log, self._environ = name, log, environ
        self._process: Process | None = None
        self.asked = False
        """Whether its end was wished for."""

    @property
    def pid(self) -> int | None:
        """None while it does not run."""
        process = self._process
        return None if process is None or process.returncode is not None else process.pid

    async def start(self, command: Sequence[str]) -> None:
        """Only starts it; `ready` waits. Nothing in the arguments may be secret."""
        self.asked = False
        self.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.log.open("wb") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env=dict(self._environ),
                start_new_session=True,  # Ctrl-C is for us; we tell the children
                preexec_fn=tether(),
            )

    async def ready(self, limit_s: float = START_S) -> dict[str, Any]:
        """What it announced. Raises ChildFailed where it ended, or took longer than `limit_s`."""
        try:
            async with asyncio.timeout(limit_s):
                while (said := await self._said()) is not None:
                    if said.get("event") == "ready":
                        return said
                code = await self._running().wait()
        except TimeoutError:
            raise ChildFailed(self._sentence(f"was not ready within {limit_s:g} s")) from None
        raise ChildFailed(self._sentence(f"ended while starting ({in_words(code)})"))

    async def ended(self) -> ChildFailed:
        """Waits for its end and says how it was."""
        while await self._said() is not None:
            pass
        code = await self._running().wait()
        return ChildFailed(self._sentence(f"ended ({in_words(code)})"))

    async def stop(self, limit_s: float = STOP_S) -> int | None:
        """Asks it to stop, insists after `limit_s`. Returns the exit code; may be repeated."""
        if (process := self._process) is None:
            return None
        self.asked = True
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)  # one that was held cannot hear the other
                process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(limit_s):
                return await process.wait()
        except TimeoutError:
            return await self.kill()

    async def kill(self) -> int | None:
        """As `kill -9` does."""
        if (process := self._process) is None:
            return None
        self.asked = True
        with suppress(ProcessLookupError):
            process.kill()
        return await process.wait()

    def last_words(self) -> str:
        """The last lines that it logged."""
        try:
            lines = self.log.read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-_LOG_LINES:])

    def _running(self) -> Process:
        assert self._process is not None, "it was never started"
        return self._process

    async def _said(self) -> dict[str, Any] | None:
        """A line of its standard output; None once it says no more."""
        output = self._running().stdout
        assert output is not None
        try:
            line = await output.readline()
        except ValueError:  # a line longer than any announcement
            return {}
        if not line:
            return None
        try:
            said = json.loads(line)
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}

    def _sentence(self, what: str) -> str:
        words = self.last_words()
        return f"{self.name} {what}; its log, {self.log}, ends:\n{words or '(nothing)'}"


def in_words(code: int) -> str:
    """An exit code for people."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
