"""Callers of the stock server: `python -m tests.benchmarks.peer_caller < job`.

Prints as JSON, for every stream, the milliseconds from saying that the audio is over to the last
answer.
"""

import asyncio
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

PACKET_S = 0.1


class PeerCaller(WSListener):  # type: ignore[misc]
    """Sends float32 samples, then "Done"; the server closes behind its last answer."""

    def __init__(self) -> None:
        self.over = asyncio.Event()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        done = frame.msg_type == WSMsgType.TEXT and b"Done" in frame.get_payload_as_bytes()
        if frame.msg_type == WSMsgType.CLOSE or done:
            self.over.set()
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.over.set()


async def call(caller: PeerCaller, samples: Any, delay_s: float) -> float:
    """One stream at the pace of speech; milliseconds to the last answer."""
    began_s, step = time.monotonic() + delay_s, int(16000 * PACKET_S)
    for number, begin in enumerate(range(0, len(samples), step)):
        await asyncio.sleep(max(0.0, began_s + number * PACKET_S - time.monotonic()))
        caller.transport.send(WSMsgType.BINARY, samples[begin : begin + step].tobytes())
    ended_s = time.monotonic()
    caller.transport.send(WSMsgType.TEXT, b"Done")
    async with asyncio.timeout(60):
        await caller.over.wait()
    return 1000 * (time.monotonic() - ended_s)


async def run(job: dict[str, Any], audio: bytes) -> list[float]:
    """All streams, begun at times spread over a chunk."""
    samples = np.frombuffer(audio, "<i2").astype(np.float32) / 32768
    rng, length = random.Random(job["seed"]), int(16000 * job["seconds"])
    callers = [PeerCaller() for _ in range(job["streams"])]
    for caller in callers:
        await ws_connect(lambda caller=caller: caller, job["url"])  # type: ignore[misc]
    begins = [rng.randrange(max(1, len(samples) - length)) for _ in callers]
    return await asyncio.gather(
        *(
            call(caller, samples[begin : begin + length], rng.uniform(0, 0.32))
            for caller, begin in zip(callers, begins, strict=True)
        )
    )


if __name__ == "__main__":
    told = json.loads(sys.stdin.readline())
    print(json.dumps(uvloop.run(run(told, Path(told["audio"]).read_bytes()))))
