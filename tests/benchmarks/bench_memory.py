"""Memory of an idle session, and 500 sessions at once: what gives first."""

import asyncio

from heliovox.protocol import messages as wire
from tests.benchmarks.caller import Caller
from tests.benchmarks.figures import Figure, cpu_s, percentile, rss_kib
from tests.benchmarks.stage import Node, callers, node, spoken

IDLE = 400
MANY = 500


async def _idle_kib(at: Node) -> float:
    before = rss_kib(at.pid)
    sessions = [Caller() for _ in range(IDLE)]
    for session in sessions:
        await session.open(at.stream_url, at.key)
    await asyncio.sleep(1.0)
    after = rss_kib(at.pid)
    for session in sessions:
        await session.finish()
    return (after - before) / IDLE


def run(rounds: int, seconds: float) -> list[Figure]:
    """Idle sessions first; then 500 that speak without a pause."""
    idle, cores, heard, errors = [], [], [], []
    for number in range(rounds):
        with node("--max-streams", str(MANY)) as at:
            idle.append(asyncio.run(_idle_kib(at)))
            audio = spoken(at, 60)
            with callers(at, audio, MANY, seconds, seed=number) as load:
                load.wait("open")
                before = cpu_s(at.pid)
                load.wait("sent")
                cores.append((cpu_s(at.pid) - before) / seconds)
                load.errors_count = True
                reached = [_heard_share(log, seconds) for log in load.logs()]
            heard.append(100 * percentile(reached, 0.05))
            errors.append(float(sum(share < 0 for share in reached)))
    return [
        Figure("memory of an idle session", "KiB", tuple(idle)),
        Figure(f"{MANY} talking at once: cores in use", "cores", tuple(cores)),
        Figure(f"{MANY} talking at once: heard in time, p5 of streams", "%", tuple(heard)),
        Figure(f"{MANY} talking at once: sessions with an error", "", tuple(errors)),
    ]


def _heard_share(log: object, seconds: float) -> float:
    """How much of the audio had words or releases when the last packet was sent; -1: an error."""
    messages = log.messages  # type: ignore[attr-defined]
    if any(isinstance(message, wire.Error) for _, message in messages):
        return -1.0
    end_s = log.sent[-1][1] + 1.0  # type: ignore[attr-defined]
    reached = [
        message.through_sample
        for at_s, message in messages
        if at_s <= end_s and isinstance(message, wire.Partial | wire.Final)
    ]
    return max(reached, default=0) / (seconds * 16000)
