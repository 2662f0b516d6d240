"""Measures what steps and speech cost on this machine, once, before the node is ready.

Nodes of one machine measure in turn, and keep what they found: the next start reads it.
"""

import fcntl
import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
import numpy as np

from edge_node.capacity.load import StepCost
from edge_node.stt.engine import Engine, Samples
from shared.files import write_private

_log = logging.getLogger(__name__)

FORMAT = 5
SIZES = (1, 2, 4, 8, 16, 32)
SIZE_LIMIT_S = 0.5
"""For one batch size, or _AT_LEAST steps if they take longer."""
BUDGET_S = 4.0
"""For all of them; on a quiet machine they take two to three. Sizes that were not begun in time
count as not there: then fewer sessions fit than could, never more."""
ENOUGH = 20
"""Steps of one batch size that make a percentile."""
_AT_LEAST = 5
_LEVEL = 0.05
TEXT = "The quick brown fox jumps over the lazy dog, and nobody minds."

T = TypeVar("T")
NowS = Callable[[], float]


class Steps(msgspec.Struct, frozen=True):
    """A recogniser's costs, as they are kept."""

    key: str
    costs: tuple[StepCost, ...]


class Measured(NamedTuple):
    """What was found out in the time there was."""

    costs: tuple[StepCost, ...]
    whole: bool
    """Whether every size was measured. Only then is it kept for the next start."""


class Voice(msgspec.Struct, frozen=True):
    """A voice's cost, as it is kept."""

    key: str
    work_s: float
    """For one second of speech."""


def key_of(**facts: object) -> str:
    """A name for a measurement of these facts."""
    stated = json.dumps({"format": FORMAT, **facts}, sort_keys=True, default=str)
    return sha256(stated.encode()).hexdigest()[:32]


def device_name(provider: str) -> str:
    """What computes: the GPU's name, or the processor's."""
    if provider == "cuda":
        for file in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
            return _field(file, "Model")
    return _field(Path("/proc/cpuinfo"), "model name")


def _field(file: Path, name: str) -> str:
    try:
        lines = file.read_text(errors="replace").splitlines()
    except OSError:
        return "unknown"
    found = (line.partition(":")[2].strip() for line in lines if line.startswith(name))
    return next(found, "unknown")


class Cache:
    """Measurements of a machine, a file each.

    Args:
        folder: shared by the machine's nodes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def steps(self, key: str, measure: Callable[[], Measured]) -> tuple[StepCost, ...]:
        """A recogniser's: known, or measured while nobody else measures."""

        def found() -> tuple[Steps, bool]:
            measured = measure()
            return Steps(key, measured.costs), measured.whole

        return self._once(key, Steps, found).costs

    def voice_s(self, key: str, measure: Callable[[], float]) -> float:
        """A voice's, likewise."""
        return self._once(key, Voice, lambda: (Voice(key, measure()), True)).work_s

    def _once(self, key: str, kind: type[T], measure: Callable[[], tuple[T, bool]]) -> T:
        if (known := self._read(key, kind)) is not None:
            return known
        with self._my_turn():
            if (known := self._read(key, kind)) is not None:  # the one before found it out
                return known
            found, keep = measure()
            if keep:
                self._write(key, found)
        return found

    def _read(self, key: str, kind: type[T]) -> T | None:
        path = self._folder / f"{key}.json"
        try:
            found = msgspec.json.decode(path.read_bytes(), type=kind)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            _log.warning("%s cannot be read (%s): measured anew", path.name, error)
            return None
        return found if getattr(found, "key", None) == key else None

    def _write(self, key: str, found: object) -> None:
        try:
            write_private(self._folder / f"{key}.json", msgspec.json.encode(found))
        except OSError as error:
            _log.warning("a measurement cannot be kept: %s", error)

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        """Waits while another node of this machine measures. A folder that cannot be: no turns."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = (self._folder / "measuring.lock").open("wb")
        except OSError as error:
            _log.warning("measured without waiting for others: %s", error)
            yield
            return
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)  # ends with the file, however this process ends
            yield


@dataclass(frozen=True, slots=True)
class Watch:
    """What measurements are read from.

    On a processor steps are measured by the thread's own CPU time: what else runs on the machine
    while a node starts disturbs the measurement, but not what a step needs. A GPU's steps are
    waited for, so they are measured by the clock.
    """

    work_s: NowS
    """Grows with the work of the calling thread."""
    now_s: NowS
    """A monotonic clock: when to be content."""


def watch_for(provider: str, now_s: NowS) -> Watch:
    """The watch for a device."""
    return Watch(time.thread_time if provider == "cpu" else now_s, now_s)


def measure_steps(engine: Engine, largest: int, watch: Watch) -> Measured:
    """Steps of several batch sizes, on the thread that owns the engine; at least of the smallest.

    Args:
        engine: loaded and warm; left as it was.
        largest: batch that it will be given.
        watch: for the engine's device.
    """
    profile = engine.profile
    most = min(largest, profile.max_batch)
    sizes = [size for size in SIZES if size < most] + [most]
    noise, until_s = np.random.default_rng(0), watch.now_s() + BUDGET_S
    costs = [_size_cost(engine, sizes[0], noise, watch)]
    for size in sizes[1:]:
        if watch.now_s() > until_s:
            break
        costs.append(_size_cost(engine, size, noise, watch))
    return Measured(tuple(costs), len(costs) == len(sizes))


def _size_cost(engine: Engine, size: int, noise: np.random.Generator, watch: Watch) -> StepCost:
    profile = engine.profile
    streams = [engine.open(profile.graph) for _ in range(size)]
    took_s: list[float] = []
    began_s = watch.now_s()
    try:
        for stream in streams:
            engine.accept(stream, _audio(noise, profile.edge_samples))
        while len(took_s) < ENOUGH:
            for stream in streams:
                engine.accept(stream, _audio(noise, profile.chunk_samples))
            step_s = watch.work_s()
            engine.step(streams)
            took_s.append(watch.work_s() - step_s)
            if len(took_s) >= _AT_LEAST and watch.now_s() - began_s > SIZE_LIMIT_S:
                break
    finally:
        for stream in streams:
            engine.close(stream)
    return cost_of(size, took_s)


def cost_of(size: int, took_s: Sequence[float]) -> StepCost:
    """What one batch size needs. The first step is dropped: it allocates."""
    steady = sorted(took_s[1:] or took_s)
    last = len(steady) - 1
    return StepCost(size, steady[last // 4], steady[-(-last * 95 // 100)])


def _audio(noise: np.random.Generator, samples: int) -> Samples:
    return noise.normal(0.0, _LEVEL, samples).astype(np.float32)


def calibrating(
    make: Callable[[], Engine], found: Callable[[Engine], None]
) -> Callable[[], Engine]:
    """Makes an engine and looks at it before anybody uses it, on the thread that will own it."""

    def made() -> Engine:
        engine = make()
        found(engine)
        return engine

    return made


def facts_of(costs: Sequence[StepCost]) -> str:
    """For the log."""
    return ", ".join(f"{one.batch}: {one.work_s * 1000:.2f} ms" for one in costs)
