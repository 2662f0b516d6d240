"""Callers of a control plane who ask again as soon as they are answered, in a process of their own.

They speak HTTP by themselves, a few lines of it, so that what is measured is not their library.
`python -m tests.benchmarks.closed_loop URL ...` takes a key on its first line of input, says
`ready` once connected, and after every further line `SECONDS` what came of so many, as JSON.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from typing import cast
from urllib.parse import urlsplit

import uvloop

CALLERS = [(48.85, 2.35), (19.07, 72.87), (-23.55, -46.63), (40.71, -74.0), (35.68, 139.69)]


class Caller(asyncio.Protocol):
    """One kept-alive connection with one request on its way at most."""

    def __init__(self, tally: "Tally", requests: list[bytes], first: int) -> None:
        self._tally, self._requests, self._next = tally, requests, first
        self._buffer = b""
        self._asked_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Waits for the go."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own inherits nothing

    def ask(self) -> None:
        """The next request."""
        self._asked_s = time.perf_counter()
        self._next += 1
        self._transport.write(self._requests[self._next % len(self._requests)])

    def data_received(self, data: bytes) -> None:
        """An answer, or a part of one."""
        self._buffer += data
        head, blank, rest = self._buffer.partition(b"\r\n\r\n")
        if not blank:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        self._tally.answered(int(head[9:12]), time.perf_counter() - self._asked_s)
        if self._tally.going:
            self.ask()
        else:
            self._tally.rests(self)


class Tally:
    """What came of it."""

    def __init__(self) -> None:
        self.going = False
        self.callers: list[Caller] = []
        self._resting: set[Caller] = set()
        self._all_rest = asyncio.Event()
        self.clear()

    def clear(self) -> None:
        """Begins anew."""
        self.statuses: Counter[int] = Counter()
        self.took_s: list[float] = []

    def answered(self, status: int, took_s: float) -> None:
        """One answer."""
        self.statuses[status] += 1
        self.took_s.append(took_s)

    def rests(self, caller: Caller) -> None:
        """A caller asks no more."""
        self._resting.add(caller)
        if len(self._resting) == len(self.callers):
            self._all_rest.set()

    async def round(self, seconds: float) -> dict[str, object]:
        """All of them ask for so long."""
        self.clear()
        self.going = True
        self._resting.clear()
        self._all_rest.clear()
        began_s = time.perf_counter()
        for caller in self.callers:
            caller.ask()
        await asyncio.sleep(seconds)
        self.going = False
        await self._all_rest.wait()
        took_ms = sorted(1000 * one for one in self.took_s)
        return {
            "seconds": time.perf_counter() - began_s,
            "statuses": self.statuses,
            "p50_ms": took_ms[len(took_ms) // 2],
            "p95_ms": took_ms[len(took_ms) * 95 // 100],
        }


def _requests(key: str, policy: str | None) -> list[bytes]:
    made = []
    for lat, lon in CALLERS:
        asked: dict[str, object] = {"place": {"lat": lat, "lon": lon}}
        if policy is not None:
            asked["policy"] = policy
        body = json.dumps(asked).encode()
        head = (
            f"POST /v1/sessions HTTP/1.1\r\nHost: c\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


async def _run(urls: list[str], connections: int, policy: str | None) -> None:
    loop = asyncio.get_running_loop()
    key = (await loop.run_in_executor(None, sys.stdin.readline)).strip()
    tally, requests = Tally(), _requests(key, policy)
    for number in range(connections):
        at = urlsplit(urls[number % len(urls)])
        _, caller = await loop.create_connection(
            lambda number=number: Caller(tally, requests, number),  # type: ignore[misc]
            at.hostname,
            at.port,
        )
        tally.callers.append(caller)
    print("ready", flush=True)
    while line := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        print(json.dumps(await tally.round(float(line))), flush=True)


def main() -> None:
    """Until its input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("urls", nargs="+")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--policy")
    options = parser.parse_args()
    uvloop.run(_run(options.urls, options.connections, options.policy))


if __name__ == "__main__":
    main()
