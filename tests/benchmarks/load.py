"""Many callers in a process of their own: `python -m tests.benchmarks.load < job`.

The job comes as JSON on standard input, the callers' logs go out as a pickle on standard output.
"""

import asyncio
import json
import pickle
import random
import sys
from pathlib import Path
from typing import Any

import uvloop

from tests.benchmarks.caller import Caller, Log


async def run(job: dict[str, Any], audio: bytes) -> list[Log]:
    """Opens the streams, begins at times spread over a chunk, streams, finishes."""
    seconds, rng = job["seconds"], random.Random(job["seed"])
    callers = [Caller() for _ in range(job["streams"])]
    for caller in callers:
        await caller.open(job["url"], job["key"])
    sys.stderr.write("open\n")
    sys.stderr.flush()
    length = int(seconds * 32000)
    async with asyncio.TaskGroup() as group:
        for caller in callers:
            begin = 2 * rng.randrange(max(1, (len(audio) - length) // 2))
            stream = caller.stream(
                audio[begin : begin + length],
                job["packet_ms"],
                delay_s=rng.uniform(0, 0.32),
                flush_every_s=job.get("flush_every_s", 0.0),
            )
            group.create_task(stream)
    sys.stderr.write("sent\n")
    sys.stderr.flush()
    await asyncio.gather(*(caller.finish() for caller in callers))
    return [caller.log for caller in callers]


if __name__ == "__main__":
    told = json.loads(sys.stdin.readline())
    logs = uvloop.run(run(told, Path(told["audio"]).read_bytes()))
    sys.stdout.buffer.write(pickle.dumps(logs))
