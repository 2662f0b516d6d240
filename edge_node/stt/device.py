"""The thread that owns the device: takes batches of seats through the engine.

The event loop hands in audio and wishes (`push`), and gets what was heard back through one call
for a whole batch. If the engine breaks, every seat hears of it and the device takes no more.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge_node.sessions.heard import Consumed, Heard, SeatFailed
from edge_node.stt.batcher import Batcher, BatchRules
from edge_node.stt.checks import check_graph
from edge_node.stt.engine import Engine, Profile, Samples, Stream, Token
from edge_node.stt.meter import StepMeter
from edge_node.stt.seat import Asked, EndAsked, Seat
from shared.audio import MODEL_RATE_HZ
from shared.clock import Clock
from shared.errors import EngineFailed, VoiceError

if TYPE_CHECKING:  # it brings onnxruntime, which a node of the scripted recogniser need not load
    from edge_node.stt.gatekeeper import Gatekeeper

log = logging.getLogger(__name__)

Listen = Callable[[Sequence[Heard]], None]
Report = list[tuple["Occupant", list[Heard]]]


@dataclass(eq=False, slots=True)
class Occupant:
    """A session on the device: its seat, and who hears what it says."""

    seat: Seat
    listen: Listen
    graph: str = ""
    stream: Stream | None = None
    crowded: bool = False
    """Set by the event loop: it waits to hear of room."""
    left: bool = False
    told: list[Heard] = field(default_factory=list)


class Device:
    """Owns one engine and its thread.

    Args:
        make_engine: constructs the engine, on the device's thread.
        deliver: hands a report to the event loop (for example `call_soon_threadsafe`); it must
            call `listen` of each occupant.
        make_gatekeeper: likewise on the device's thread; None believes every word.
    """

    def __init__(
        self,
        make_engine: Callable[[], Engine],
        rules: BatchRules,
        clock: Clock,
        deliver: Callable[[Report], None],
        make_gatekeeper: "Callable[[], Gatekeeper | None]" = lambda: None,
    ) -> None:
        self._make_engine, self._clock, self._deliver = make_engine, clock, deliver
        self._make_gatekeeper = make_gatekeeper
        self._gatekeeper: Gatekeeper | None = None
        self._batcher: Batcher[Occupant] = Batcher(rules)
        self._wake = threading.Condition()
        self._occupants: set[Occupant] = set()
        self._leaving: list[Occupant] = []
        self._stop = False
        self._engine: Engine | None = None
        self._thread = threading.Thread(target=self._run, name="device", daemon=True)
        self._started = threading.Event()
        self.failure: VoiceError | None = None
        self.meter = StepMeter()

    # --- the event loop's side ---

    def start(self, timeout_s: float = 60.0) -> Profile:
        """Loads and warms the engine; blocks. Raises what the engine raised."""
        self._thread.start()
        if not self._started.wait(timeout_s):
            raise EngineFailed(f"the engine did not load within {timeout_s:.0f} s")
        if self.failure is not None:
            raise self.failure
        return self.profile

    @property
    def profile(self) -> Profile:
        """The engine's facts, once started."""
        if self._engine is None:
            raise EngineFailed("the engine is not loaded")
        return self._engine.profile

    @property
    def waiting(self) -> int:
        """Seats that wait for their turn."""
        return len(self._batcher)

    @property
    def occupants(self) -> tuple[Occupant, ...]:
        """Everybody who has a place."""
        with self._wake:
            return tuple(self._occupants)

    def enter(self, seat: Seat, listen: Listen, graph: str = "") -> Occupant:
        """A session takes its seat, with one of the profile's graphs or none.

        Raises:
            EngineFailed: the engine broke.
            Unsupported: no such graph; said here, as the device's thread must not fail over it.
        """
        check_graph(graph, self.profile)
        if self._gatekeeper is not None and self.profile.sample_rate == MODEL_RATE_HZ:
            seat.watch(self._gatekeeper.rules)
        occupant = Occupant(seat, listen, graph)
        with self._wake:  # or the engine could break in between, and this one never hear of it
            if self.failure is not None:
                raise EngineFailed(self.failure.message, remedy="use another node")
            self._occupants.add(occupant)
            self._batcher.join(occupant)
        return occupant

    def push(self, occupant: Occupant, item: bytes | Asked) -> None:
        """Audio, or a wish at this point of it. Never blocks on the device."""
        if occupant.seat.push(item):
            self._ready(occupant, urgent=isinstance(item, EndAsked))

    def wants_room(self, occupant: Occupant, *, yes: bool) -> None:
        """Whether the session waits to hear that its audio is worked off."""
        occupant.crowded = yes
        if yes:
            self._ready(occupant)  # the last step may be over already

    def _ready(self, occupant: Occupant, *, urgent: bool = False) -> None:
        with self._wake:
            now_s = self._clock.now_s()
            if not occupant.left and self._batcher.ready(occupant, now_s, urgent=urgent):
                self._wake.notify()  # else the thread wakes at the deadline it knows

    def leave(self, occupant: Occupant) -> None:
        """The session gives its seat back; it hears nothing more."""
        with self._wake:
            occupant.left = True
            self._occupants.discard(occupant)
            self._leaving.append(occupant)
            self._wake.notify()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Ends the thread after the step it is in."""
        with self._wake:
            self._stop = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    # --- the device's thread ---

    def _run(self) -> None:
        try:
            self._gatekeeper = self._make_gatekeeper()
            self._engine = self._make_engine()
            self._started.set()
            while (batch := self._next_batch()) is not None:
                self._take(batch, self._engine)
        except Exception as error:  # noqa: BLE001 whatever an engine raises, every session hears of it
            self._fail(error)
        finally:
            self._started.set()

    def _next_batch(self) -> list[Occupant] | None:
        """Waits for the next batch; None at the end."""
        with self._wake:
            while not self._stop:
                self._let_go()
                now_s = self._clock.now_s()
                if batch := self._batcher.take(now_s):
                    return batch
                due_s = self._batcher.due_s()
                self._wake.wait(None if due_s is None else max(0.0, due_s - now_s))
        return None

    def _let_go(self) -> None:
        for occupant in self._leaving:
            self._batcher.drop(occupant)
            if occupant.stream is not None and self._engine is not None:
                self._engine.close(occupant.stream)
                occupant.stream = None
        self._leaving.clear()

    def _take(self, batch: list[Occupant], engine: Engine) -> None:
        began_s = self._clock.now_s()
        steps = [
            (one, samples) for one in batch if (samples := self._turn(one, engine)) is not None
        ]
        if steps:
            self._step(steps, engine)
        self.meter.stepped(len(steps), self._clock.now_s() - began_s)
        self._tell(batch)

    def _turn(self, occupant: Occupant, engine: Engine) -> Samples | None:
        heard, ended, samples = occupant.seat.turn()
        occupant.told = heard
        if occupant.stream is None:
            occupant.stream = engine.open(occupant.graph)
        elif ended:
            engine.reset(occupant.stream)
        return samples

    def _step(self, steps: list[tuple[Occupant, Samples]], engine: Engine) -> None:
        streams: list[Stream] = []
        for occupant, samples in steps:
            assert occupant.stream is not None
            engine.accept(occupant.stream, samples)
            streams.append(occupant.stream)
        found = engine.step(streams)
        self._look(steps, found)
        for (occupant, _), tokens in zip(steps, found, strict=True):
            heard, ended = occupant.seat.stepped(tokens)
            occupant.told += heard
            if ended and occupant.stream is not None:
                engine.reset(occupant.stream)

    def _look(
        self, steps: list[tuple[Occupant, Samples]], found: Sequence[Sequence[Token]]
    ) -> None:
        """Whether somebody spoke where words were found."""
        if self._gatekeeper is None:
            return
        gates = []
        for (occupant, samples), tokens in zip(steps, found, strict=True):
            if (gate := occupant.seat.gate) is not None:
                gate.hear(samples, claimed=bool(tokens))
                gates.append(gate)
        self._gatekeeper.settle(gates)

    def _tell(self, batch: list[Occupant]) -> None:
        report: Report = []
        for occupant in batch:
            if occupant.crowded:
                occupant.told.append(Consumed(occupant.seat.consumed_sample))
            if occupant.told:
                report.append((occupant, occupant.told))
        now_s = self._clock.now_s()
        with self._wake:
            for occupant in batch:
                seat = occupant.seat
                self._batcher.done(occupant, now_s, again=not seat.waits, urgent=seat.ends)
        if report:
            self._deliver(report)

    def _fail(self, error: Exception) -> None:
        known = isinstance(error, VoiceError)  # says all there is to say
        log.error("the recogniser failed: %s", error, exc_info=None if known else error)
        failure = (
            error
            if isinstance(error, VoiceError)
            else EngineFailed(f"the recogniser failed: {error}", remedy="use another node")
        )
        with self._wake:
            self.failure = failure
            everyone = list(self._occupants)
        told: list[Heard] = [SeatFailed(failure)]
        self._deliver([(occupant, told) for occupant in everyone])
