"""Worlds shared out to processes, one a core; what they find is added up in any order."""

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context

from prover.journal import Journal
from prover.play import DECISIONS, play
from prover.tally import Tally

Told = Callable[[Tally], None]


def prove(
    seed: str, decisions: int, workers: int, told: Told, journal: Journal | None = None
) -> tuple[Tally, bool]:
    """Checks so many decisions. The same seed and number give the same tally, whoever works.

    Args:
        seed: of everything that is drawn.
        decisions: to check.
        workers: processes.
        told: is told how far it is, now and then.
        journal: what is done already, and where the rest is kept; it holds the tally.

    Returns:
        What was found, and whether it went to its end: Ctrl-C ends it early.
    """
    journal = journal or Journal(None, seed, "")
    todo = (one for one in _portions(seed, decisions) if one[1] not in journal.done)
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _deaf)
    try:
        _work(pool, todo, workers, journal, told)
    except KeyboardInterrupt:
        return journal.tally, False
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        journal.keep()
    return journal.tally, True


def _work(
    pool: ProcessPoolExecutor,
    todo: Iterator[tuple[str, int, int]],
    workers: int,
    journal: Journal,
    told: Told,
) -> None:
    """A few portions are under way at any time, so that an end comes soon."""
    running: dict[Future[Tally], int] = {}
    while True:
        while len(running) < 2 * workers and (portion := next(todo, None)) is not None:
            running[pool.submit(played, *portion)] = portion[1]
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            journal.add(running.pop(future), future.result())
        told(journal.tally)


def _portions(seed: str, decisions: int) -> Iterator[tuple[str, int, int]]:
    for number, first in enumerate(range(0, decisions, DECISIONS)):
        yield seed, number, min(DECISIONS, decisions - first)


def played(seed: str, number: int, decisions: int) -> Tally:
    """`play`, with the processor's time that it took."""
    began_s = time.process_time()
    tally = play(seed, number, decisions)
    tally.cpu_s = time.process_time() - began_s
    return tally


def _deaf() -> None:
    """Ctrl-C is for whoever shares out; a worker ends with its portion."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
