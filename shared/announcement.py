"""What a service says on its standard output: for people, or for programs that started it."""

import asyncio
import json
from pathlib import Path
from typing import TextIO


class Announcer:
    """A service, the last to start: says that everything is ready, and where.

    Args:
        program: whose name stands in sentences.
        out: takes one line for each announcement, at once.
        as_json: a JSON object a line instead of a sentence.
    """

    def __init__(self, program: str, out: TextIO, *, as_json: bool, url: str) -> None:
        self._program, self._out, self._as_json, self._url = program, out, as_json, url

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled."""
        self._say(f"{self._program} ready on {self._url}", event="ready", url=self._url)
        ready.set()
        await asyncio.Event().wait()

    def key_made(self, name: str, key: str) -> None:
        """A key, the only time it is seen."""
        self._say(f"key {name!r}, shown only once: {key}", event="key", name=name, key=key)

    def key_kept(self, name: str, file: Path) -> None:
        """A key that was made and is in a file; it is not shown."""
        self._say(f"key {name!r} is in {file}", event="key_file", name=name, file=str(file))

    def _say(self, sentence: str, **fields: str) -> None:
        self._out.write((json.dumps(fields) if self._as_json else sentence) + "\n")
        self._out.flush()
