"""The real node as a process of its own, with the scripted recogniser and voice."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import yaml
from websockets.sync.client import ClientConnection, connect

ROOT = Path(__file__).parents[2]
READY_S = 30.0
STOP_S = 20.0


@dataclass
class RunningNode:
    """A node that listens."""

    process: subprocess.Popen[bytes]
    url: str
    key: str
    log: Path

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    @property
    def stream_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/stream"

    def call(self, *, key: str | None = "", **options: Any) -> ClientConnection:
        """A WebSocket; `key` "" is the node's own, None is none."""
        shown = self.key if key == "" else key
        headers = {} if shown is None else {"Authorization": f"Bearer {shown}"}
        options = {"compression": None, "max_size": None, "proxy": None} | options
        return connect(self.stream_url, additional_headers=headers, **options)

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        return self.ask(Request(self.url + path))

    def post(self, path: str, body: bytes, key: str | None = "") -> tuple[int, bytes]:
        shown = self.key if key == "" else key
        headers = {"Content-Type": "application/json"}
        if shown is not None:
            headers["Authorization"] = f"Bearer {shown}"
        return self.ask(Request(self.url + path, data=body, headers=headers, method="POST"))

    def ask(self, request: Request) -> tuple[int, bytes]:
        try:
            with urlopen(request, timeout=READY_S) as answer:
                return answer.status, answer.read()
        except HTTPError as refused:
            with refused:
                return refused.code, refused.read()

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        _, text = self.get("/metrics")
        lines = [line for line in text.decode().splitlines() if not line.startswith("#")]
        return sum(
            float(line.rsplit(" ", 1)[1])
            for line in lines
            if line.split("{")[0].split(" ")[0] == f"heliovox_edge_{name}"
        )

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """Its exit code."""
        self.process.send_signal(signal_number)
        return self.process.wait(STOP_S)

    def complaints(self) -> list[str]:
        """Log lines that a well-behaved node does not write."""
        lines = self.log.read_text().splitlines()
        return [line for line in lines if "Traceback" in line or " ERROR " in line]


@contextmanager
def running_node(folder: Path, **settings: Any) -> Iterator[RunningNode]:
    """Starts a node on a free port and waits until it is ready; kills it at the latest at the end.

    Args:
        folder: for its state and its log.
        settings: as in a settings file.
    """
    config = folder / "edge.yaml"
    config.write_text(yaml.safe_dump({"recogniser": "scripted", "node_id": "n-1"} | settings))
    log = folder / "node.log"
    command = [sys.executable, "-m", "edge_node", "serve", "--json", "--port", "0"]
    command += ["--config", str(config), "--state-dir", str(folder / "state")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}  # noqa: TID251
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors
        )
    try:
        said = dict[str, dict[str, str]]()
        while "ready" not in said:
            line = json.loads(_line(process, log))
            said[line["event"]] = line
        yield RunningNode(process, said["ready"]["url"], said["key"]["key"], log)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _line(process: subprocess.Popen[bytes], log: Path) -> bytes:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], READY_S)
    line = process.stdout.readline() if ready else b""
    if not line:
        raise AssertionError(f"the node did not start: {log.read_text()}")
    return line
