"""How many continuous streams one core carries: this node against the stock C++ server.

Same model, same audio, same pace, same clock (from saying that the audio is over to the last
answer), one core for the server and the other one for the callers. The figure is the largest number
of streams tried at which the p95 of that time stays below 500 ms.
"""

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from edge_node.models import embedded_folder
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.stage import ROOT, Node, callers, node, pinned, spoken

LIMIT_MS = 500
STEP = 20
FIRST = 80
MOST = 400
SERVER = "sherpa-onnx-online-websocket-server"


def capacity(final_p95_ms: Callable[[int], float]) -> float:
    """Steps up while the limit holds."""
    held = 0
    for streams in range(FIRST, MOST + 1, STEP):
        took_ms = final_p95_ms(streams)
        print(f"    {streams} streams: {took_ms:.0f} ms", file=sys.stderr)
        if took_ms >= LIMIT_MS:
            break
        held = streams
    return float(held)


def ours(at: Node, audio: bytes, seconds: float, seed: int) -> Callable[[int], float]:
    """Finish to `ended` at the node."""

    def measure(streams: int) -> float:
        with callers(at, audio, streams, seconds, core=1, seed=seed) as load:
            logs = load.logs()
        return percentile([1000 * (log.messages[-1][0] - log.finished_s) for log in logs], 0.95)

    return measure


@contextlib.contextmanager
def stock_server() -> Iterator[str]:
    """The stock server with the embedded model, on core 0."""
    found = shutil.which(SERVER, path=str(Path(sys.executable).parent)) or shutil.which(SERVER)
    if found is None:
        raise SystemExit("no stock server: pip install --require-hashes -r requirements/bench.txt")
    model = embedded_folder("stt-en-telephone")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [
        f"--port={port}",
        f"--nemo-ctc-model={model / 'model.onnx'}",
        f"--tokens={model / 'tokens.txt'}",
        "--num-work-threads=1",
        "--num-io-threads=1",
        "--max-batch-size=32",
        "--log-file=/dev/null",
    ]
    quiet = subprocess.DEVNULL
    with subprocess.Popen([found, *options], stdout=quiet, stderr=quiet, **pinned(0)) as process:
        try:
            _wait_for(port)
            yield f"ws://127.0.0.1:{port}/"
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    deadline_s = time.monotonic() + 30
    while time.monotonic() < deadline_s:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise SystemExit("the stock server does not listen")


def theirs(url: str, audio: Path, seconds: float, seed: int) -> Callable[[int], float]:
    """ "Done" to the last answer at the stock server."""

    def measure(streams: int) -> float:
        job = {"url": url, "audio": str(audio), "streams": streams}
        told = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.peer_caller"],
            input=json.dumps({**job, "seconds": seconds, "seed": seed}),
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
            **pinned(1),
        )
        return percentile(json.loads(told.stdout), 0.95)

    return measure


def run(rounds: int, seconds: float) -> list[Figure]:
    """The two in turn, round after round."""
    our, their = [], []
    for seed in range(rounds):
        with node("--max-streams", str(MOST), core=0) as at:
            audio = spoken(at, 120)
            print("  this node", file=sys.stderr)
            our.append(capacity(ours(at, audio, seconds, seed)))
        with tempfile.NamedTemporaryFile() as kept, stock_server() as url:
            Path(kept.name).write_bytes(audio)
            print("  stock server", file=sys.stderr)
            their.append(capacity(theirs(url, Path(kept.name), seconds, seed)))
    return [
        Figure("streams on one core, this node", "streams", tuple(our)),
        Figure("streams on one core, stock C++ server", "streams", tuple(their)),
    ]
