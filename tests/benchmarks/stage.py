"""A real node, and load on it from a process of its own."""

import json
import os
import pickle
import random
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heliovox.local.phrases import sentence
from heliovox.protocol import messages as wire
from tests.benchmarks.caller import Log
from tests.benchmarks.figures import cpu_s

ROOT = Path(__file__).parents[2]
READY_S = 90


@dataclass(frozen=True)
class Node:
    """A node process and how to reach it."""

    pid: int
    url: str
    key: str
    folder: Path

    @property
    def stream_url(self) -> str:
        """The native protocol's address."""
        return self.url.replace("http", "ws", 1) + "/v1/stream"


def pinned(core: int | None) -> dict[str, Any]:
    """Arguments of a process that keeps to one core."""
    if core is None:
        return {}
    return {"preexec_fn": lambda: os.sched_setaffinity(0, {core})}


@contextmanager
def node(
    *options: str, program: Sequence[str] | None = None, core: int | None = None
) -> Iterator[Node]:
    """A node on a free port with a key of its own; ends with the block."""
    with tempfile.TemporaryDirectory(prefix="heliovox-bench-") as folder:
        place = ["--state-dir", folder]
        edge = [str(Path(sys.executable).with_name("heliovox-edge"))]
        made = subprocess.run(
            [*edge, "keys", "add", "bench", "--json", *place],
            check=True,
            capture_output=True,
            text=True,
        )
        key = json.loads(made.stdout.splitlines()[-1])["key"]
        command = [*(program or edge), "serve", "--port", "0", "--json", *place, *options]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, **pinned(core)
        ) as process:
            assert process.stdout is not None
            try:
                ready = json.loads(process.stdout.readline())
                yield Node(process.pid, ready["url"], key, Path(folder))
            finally:
                process.terminate()
                process.wait(30)


def spoken(at: Node, seconds: float, seed: int = 1) -> bytes:
    """Sentences of the telephone grammar in the node's own voice, PCM16 at 16 kHz."""
    rng, audio = random.Random(seed), bytearray()
    while len(audio) < seconds * 32000:
        body = json.dumps({"text": sentence(rng), "format": "raw"}).encode()
        request = urllib.request.Request(
            at.url + "/v1/speech",
            body,
            {"Authorization": f"Bearer {at.key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            audio += answer.read()
        audio += bytes(32 * rng.randrange(300, 1000))
    return bytes(audio)


@dataclass
class Load:
    """Callers at work."""

    process: subprocess.Popen[bytes]
    errors_count: bool = False
    """Whether errors are part of what is measured."""

    def wait(self, word: str) -> None:
        """Until the callers are "open", or have "sent" everything."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if line.decode().strip() == word:
                return
        raise RuntimeError(f"the callers ended before they had {word}")

    def logs(self) -> list[Log]:
        """What every caller saw; waits for the end. A session with an error is no measurement."""
        assert self.process.stdout is not None
        logs: list[Log] = pickle.loads(self.process.stdout.read())
        self.process.wait(60)
        for log in logs:
            for _, message in log.messages:
                if isinstance(message, wire.Error) and not self.errors_count:
                    raise RuntimeError(f"a session failed: {message}")
        return logs


@contextmanager
def callers(
    at: Node, audio: bytes, streams: int, seconds: float, core: int | None = None, **job: Any
) -> Iterator[Load]:
    """`streams` sessions that speak for `seconds` at the pace of speech."""
    path = at.folder / f"audio-{os.getpid()}.raw"
    path.write_bytes(audio)
    told = {
        "url": at.stream_url,
        "key": at.key,
        "audio": str(path),
        "streams": streams,
        "seconds": seconds,
        "packet_ms": 100,
        "seed": 1,
        **job,
    }
    command = [sys.executable, "-m", "tests.benchmarks.load"]
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, cwd=ROOT, **pipes, **pinned(core)) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(told).encode() + b"\n")
        process.stdin.flush()
        try:
            yield Load(process)
        finally:
            process.kill()


def cpu_while(pid: int, load: Load) -> float:
    """CPU seconds of a process from the callers' opening until all audio is sent."""
    load.wait("open")
    before = cpu_s(pid)
    load.wait("sent")
    return cpu_s(pid) - before
