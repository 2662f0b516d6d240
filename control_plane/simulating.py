"""Goes through a log under a proposed world: the shell around `control_plane.policies`."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.pool import AsyncResult
from pathlib import Path
from typing import Any, NamedTuple

from control_plane.placement.record import Batch
from control_plane.policies.limits import Limits
from control_plane.policies.review import Found, Review, review
from control_plane.policies.simulate import Options, Simulation
from control_plane.policies.stretches import Stretch, stretches
from control_plane.records.damage import Damage, LogDamaged
from control_plane.records.log import Examined, contents, decided_ms, examine
from shared.regions.file import read_world
from shared.regions.model import World

HOPELESS = ("no_log", "other_version")
Progress = Callable[[float, int], None]
"""Told the share that is done, from 0 to 1, and how many decisions that is."""
_TOLD_EVERY = 20
_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Proposed:
    """A regions file, read: `world` is what a Job asks for."""

    text: str
    name: str

    def world(self) -> World:
        """Raises RegionsRefused."""
        return read_world(self.text, self.name)


@dataclass(frozen=True, slots=True)
class Job:
    """What to go through."""

    log: Path
    world: Callable[[], World]
    """The proposed one, made in every process anew. Raises RegionsRefused."""
    partial: bool = False
    """Go on without what cannot be read."""


class _Gone(NamedTuple):
    """One stretch, gone through."""

    found: Found
    broken: frozenset[int]
    """Bytes at which something cannot be read."""
    decisions: int
    """That were read, whether or not they count here."""


def simulate(
    job: Job,
    options: Options,
    limits: Limits,
    *,
    processes: int | None = None,
    progress: Progress = lambda _, __: None,
) -> Review:
    """All of it.

    Args:
        job: the log and the proposed world.
        options: what to count.
        limits: to hold it against.
        processes: at most; None for as many as there are processors.
        progress: told now and then.

    Raises:
        LogDamaged: names the place and the remedy.
        RegionsRefused, OSError.
    """
    version = job.world().version
    examined = examine(job.log)
    _check(job, examined)
    whole = [Stretch(None, None, options)]
    parts = whole if examined.damage else stretches(examined.marks, options)
    count = min(len(parts), processes or os.cpu_count() or 1)
    gone = _side_by_side(job, parts, count, progress) if count > 1 else [
        _go_through(job, part, _scaled(progress, at, len(parts))) for at, part in enumerate(parts)
    ]  # fmt: skip
    total = Found({}, [], set())
    broken = {one.at_byte for one in examined.damage}
    for one in gone:
        total.add(one.found)
        broken |= one.broken
    missing = None
    if broken and len(parts) == 1 and examined.end is not None:
        missing = max(0, examined.end.decisions - gone[0].decisions)
    return review(total, version, limits, len(broken), missing)


def _check(job: Job, examined: Examined) -> None:
    for damage in examined.damage:
        if not job.partial or damage.what in HOPELESS:
            raise LogDamaged(str(job.log), damage)


def _scaled(progress: Progress, at: int, parts: int) -> Progress:
    return lambda share, decisions: progress((at + share) / parts, decisions)


def _go_through(job: Job, part: Stretch, progress: Progress) -> _Gone:
    """One stretch, in this process."""
    simulation, broken, decisions = Simulation(job.world(), part.options), set[int](), 0
    begin = 0 if part.begin is None else part.begin.at_byte
    size = max(1, job.log.stat().st_size - begin)

    def damaged(damage: Damage) -> None:
        if not job.partial:
            raise LogDamaged(str(job.log), damage)
        broken.add(damage.at_byte)

    for number, (at_byte, at_ms, content) in enumerate(contents(job.log, damaged, part.begin)):
        if part.until_ms is not None and at_ms > part.until_ms:
            break
        if isinstance(content, Batch):
            simulation.batch(content)
            decisions += sum(1 for _ in decided_ms(content))
        else:
            simulation.notes(content)
        if number % _TOLD_EVERY == 0:
            progress((at_byte - begin) / size, decisions)
    return _Gone(simulation.finish(), frozenset(broken), decisions)


def _side_by_side(
    job: Job, parts: Sequence[Stretch], count: int, progress: Progress
) -> list[_Gone]:
    """Each stretch in a process; whatever ends this one ends them."""
    context = multiprocessing.get_context("spawn")
    board = context.Array("d", 2 * len(parts), lock=False)
    with context.Pool(count, _begin, (board,)) as pool:
        asked = [pool.apply_async(_in_process, (job, part, at)) for at, part in enumerate(parts)]
        return [one for result in asked for one in _waited(result, board, progress)]


def _waited(result: "AsyncResult[_Gone]", board: Any, progress: Progress) -> Iterator[_Gone]:
    while True:
        result.wait(_LOOK_S)
        shares, decisions = board[::2], board[1::2]
        progress(sum(shares) / len(shares), int(sum(decisions)))
        if result.ready():
            yield result.get()
            return


_board: Any = None


def _begin(board: Any) -> None:
    """In every process: where to say how far it is. Ctrl-C is for the one that began it."""
    global _board  # noqa: PLW0603 a pool hands its processes nothing else that lasts
    _board = board
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _in_process(job: Job, part: Stretch, at: int) -> _Gone:
    def told(share: float, decisions: int) -> None:
        _board[2 * at], _board[2 * at + 1] = share, decisions

    gone = _go_through(job, part, told)
    told(1.0, gone.decisions)
    return gone
