"""First partials and flushes with 20 live streams.

First partial: from sending the packet with the frame in which the recogniser heard the first word
until the first partial came (that frame lies within the word, so this is no easier than its end).
Budget: chunk + the model's right context + 150 ms, p95.
Flush: from sending it to the last final it caused, or to `flushed` where it caused none. Budget:
p95 < 150 ms.
"""

from typing import Any

from heliovox.protocol import messages as wire
from tests.benchmarks.caller import RATE, Log
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.stage import callers, node, spoken

STREAMS = 20


def first_partials_ms(log: Log) -> list[float]:
    """For each utterance: the delay of its first partial behind its first word's audio."""
    delays, waiting = [], None
    for at_s, message in log.messages:
        if isinstance(message, wire.Partial) and waiting is None:
            waiting = at_s
        elif isinstance(message, wire.Final):
            if waiting is not None and message.words:
                said = message.words[0].start_ms * RATE // 1000
                delays.append(1000 * (waiting - log.sent_s(said)))
            waiting = None
    return delays


def flushes_ms(log: Log) -> list[float]:
    """For each flush: until its final, or its answer where it caused none."""
    delays, final_s = [], 0.0
    for at_s, message in log.messages:
        if isinstance(message, wire.Final):
            final_s = at_s if message.reason == "flush" else 0.0
        elif isinstance(message, wire.Flushed):
            delays.append(1000 * ((final_s or at_s) - log.flushes[message.id]))
            final_s = 0.0
    return delays


def _started(logs: list[Log]) -> Any:
    return next(m for _, m in logs[0].messages if isinstance(m, wire.Started))


def run(rounds: int, seconds: float) -> list[Figure]:
    """Two loads a round: one that only speaks, one that flushes every second and a half."""
    partial, flush, budget = [], [], 0.0
    with node("--max-streams", str(STREAMS)) as at:
        audio = spoken(at, 4 * seconds)
        for number in range(rounds):
            with callers(at, audio, STREAMS, seconds, seed=number) as load:
                logs = load.logs()
            started = _started(logs)
            budget = started.chunk_ms + started.lookahead_ms + 150
            delays = [delay for log in logs for delay in first_partials_ms(log)]
            partial.append(percentile(delays, 0.95))
            with callers(at, audio, STREAMS, seconds, seed=number, flush_every_s=1.5) as load:
                logs = load.logs()
            flush.append(percentile([d for log in logs for d in flushes_ms(log)], 0.95))
    return [
        Figure(
            f"first partial behind its word, {STREAMS} streams, p95", "ms", tuple(partial), budget
        ),
        Figure(f"flush to final, {STREAMS} streams, p95", "ms", tuple(flush), 150),
    ]
