"""Where callers wait for a seat: whoever's turn it is tries when the fleet has changed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from control_plane.waiting.changes import Changes
from control_plane.waiting.honesty import Honesty
from control_plane.waiting.queue import FairQueue, Line, Waiter
from control_plane.waiting.rates import Rates
from shared.clock import Clock
from shared.errors import NoRoom, VoiceError
from shared.tasks import Tasks

_log = logging.getLogger(__name__)

SWEEP_S = 1.0
"""Between two looks for callers who are gone."""

Gone = Callable[[], bool]


class Seat(Protocol):
    """What an attempt gets."""

    @property
    def region(self) -> str:
        """Where it is."""
        ...


class CallerGone(VoiceError):
    """Whoever asked is not there any more: nobody is told of it."""

    code = "caller_gone"


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who would wait.

    Args:
        tenant: whose seats it counts among.
        line: where he stands.
        wait_s: at most; an attempt that has begun is let through to its end. 0: he waits for those
            whose turn it is now, and not for a seat to become free.
        attempt: gets a Seat, told whether he is gone; raises NoRoom where there is still none. What
            else it raises ends the waiting.
        refusal: the first one, raised where the time passes before another decision.
        gone: whether he is not there any more.
    """

    tenant: str
    line: Line
    wait_s: float
    attempt: Callable[[Gone], Awaitable[Any]]
    refusal: NoRoom
    gone: Gone


@dataclass(slots=True, eq=False)
class Turn:
    """A place in line, until `end` is done: with a seat, or a VoiceError."""

    waiter: Waiter
    asker: Asker
    end: "asyncio.Future[Any]"
    came_s: float
    until_s: float
    refusal: NoRoom
    told: tuple[float, float, float] | None = None
    """When, and which interval, it was first told how long it may take."""
    left: bool = False
    trying: bool = False
    overdue: bool = False
    timer: asyncio.TimerHandle | None = field(default=None)

    @property
    def number(self) -> int:
        """In the queue."""
        return self.waiter.number

    def gone(self) -> bool:
        """Whether a seat would be for nobody."""
        return self.left or self.asker.gone()


class Waiting:
    """A service; it starts after whoever serves callers, so that it ends before.

    Args:
        changes: of the fleet.
        tasks: own the attempts.
        weight: of a tenant.
        free: the regions with seats for a kind, as far as is known.
        most: waiters at one time.
        settle_s: between a change and the decision.
    """

    def __init__(
        self,
        changes: Changes,
        clock: Clock,
        tasks: Tasks,
        *,
        weight: Callable[[str], int],
        free: Callable[[str], frozenset[str]],
        most: int,
        settle_s: float,
    ) -> None:
        self._changes, self._clock, self._tasks, self._free = changes, clock, tasks, free
        self._most, self._settle_s = most, settle_s
        self.queue, self.rates, self.honesty = FairQueue(weight), Rates(), Honesty()
        self._turns: dict[int, Turn] = {}
        self._refused: dict[Line, int] = {}
        """Lines whose first was refused, and how many changes had been then."""
        self._settled = changes.count
        self._trying: set[Line] = set()
        self._wake = asyncio.Event()
        self._stopping = False
        self.served = self.given_up = self.crowded_out = self.went = 0

    def __len__(self) -> int:
        return len(self._turns)

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled; then every waiter is refused."""
        ready.set()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow(), name="changes of the fleet")
                group.create_task(self._sweep(), name="callers who are gone")
                while True:
                    await self._wake.wait()
                    self._wake.clear()
                    self._try_heads()
        finally:
            self.stop()

    def stop(self) -> None:
        """Every waiter is refused, and whoever comes."""
        self._stopping = True
        for turn in list(self._turns.values()):
            self._refuse(turn)

    def turn(self, number: int) -> Turn | None:
        """Of somebody who waits."""
        return self._turns.get(number)

    def before(self, line: Callable[[], Line]) -> bool:
        """Whether there is a seat for a line that others have yet to be asked about.

        Nobody may pass them. Where there is none they cannot be passed: whoever comes looks for
        himself, and joins them.

        Args:
            line: works it out, where anything depends on it.
        """
        places = [self._open(other) for other in self.queue.lines() if self._pending(other)]
        if not any(places):
            return False
        mine = line().regions
        return any(not mine.isdisjoint(place) for place in places)

    async def wait(self, asker: Asker) -> Any:
        """The seat, once there is one. Whoever is cancelled leaves.

        Raises:
            NoRoom: none in time, too many wait, or the control plane stops.
            CallerGone: he was, when it was his turn.
        """
        turn = self.stand(asker)
        try:
            return await turn.end
        except asyncio.CancelledError:
            self.leave(turn)
            raise

    def stand(self, asker: Asker) -> Turn:
        """A place in line. Raises NoRoom where too many wait, or nothing is left for him."""
        line, now_s = asker.line, self._clock.now_s()
        at_once = asker.wait_s <= 0
        if self._stopping or (at_once and not self._due(line) and line not in self._trying):
            self.given_up += 1
            raise asker.refusal
        self._make_room(asker)
        waiter = self.queue.join(asker.tenant, line)
        self.rates.came(now_s, asker.tenant, line)
        end: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        turn = Turn(waiter, asker, end, now_s, now_s + asker.wait_s, asker.refusal)
        self._turns[turn.number] = turn
        self._settled = self._changes.count  # those before him have their turn now, not after him
        if not at_once:
            turn.timer = asyncio.get_running_loop().call_later(asker.wait_s, self._time_is_up, turn)
        self._wake.set()
        return turn

    def leave(self, turn: Turn) -> None:
        """He goes without a seat; one that is on its way is given back. Twice is once."""
        if turn.end.done() and not turn.end.cancelled():
            return
        turn.left = True
        self._over(turn, left=True)
        turn.end.cancel()

    # --- turns ---

    def _pending(self, line: Line) -> bool:
        """Whether the line's next decision may come out otherwise than its last."""
        return line in self._trying or self._refused.get(line, -1) < self._changes.count

    def _open(self, line: Line) -> frozenset[str]:
        """Where there may be a seat for a line."""
        return line.regions & self._free(line.kind)

    def _try_heads(self) -> None:
        if self._stopping or not self._turns:
            return
        for waiter in self.queue.heads(self._open):
            if waiter.line not in self._trying and self._due(waiter.line):
                self._begin(self._turns[waiter.number])

    def _due(self, line: Line) -> bool:
        """Whether a decision may come out otherwise than the last one of the line."""
        return self._refused.get(line, -1) < self._settled

    def _begin(self, turn: Turn) -> None:
        """Tasks begin in this order, and each counts its seat before it waits for anything."""
        self._trying.add(turn.waiter.line)
        turn.trying = True
        _ = self._tasks.begin(self._try(turn), "a turn in line")

    async def _try(self, turn: Turn) -> None:
        line, seen = turn.waiter.line, self._changes.count
        try:
            seat = await turn.asker.attempt(turn.gone)
        except NoRoom as still:
            turn.refusal = still
            self._none_left(line, seen)
        except Exception as error:  # noqa: BLE001 whoever waits is told
            self._fail(turn, error)
        else:
            self._seated(turn, seat)
        finally:
            turn.trying = False
            self._trying.discard(line)
            self._wake.set()
        if turn.overdue and not turn.end.done():
            self._refuse(turn)

    def _none_left(self, line: Line, seen: int) -> None:
        self._refused[line] = seen
        for other in list(self._turns.values()):
            if other.waiter.line == line and other.asker.wait_s <= 0:
                self._refuse(other)

    def _seated(self, turn: Turn, seat: Seat) -> None:
        now_s = self._clock.now_s()
        self.queue.serve(turn.number, seat.region)
        self._forget(turn, left=False)
        self.served += 1
        if turn.told is not None:
            at_s, low_s, high_s = turn.told
            self.honesty.came(low_s, high_s, now_s - at_s)
        if not turn.end.done():
            turn.end.set_result(seat)

    def _fail(self, turn: Turn, error: Exception) -> None:
        self._over(turn, left=isinstance(error, CallerGone))
        if not turn.end.done():
            turn.end.set_exception(error)
            turn.end.exception()  # nobody need be there to hear it

    def _time_is_up(self, turn: Turn) -> None:
        if turn.trying:
            turn.overdue = True
        else:
            self._refuse(turn)

    def _refuse(self, turn: Turn) -> None:
        self._over(turn, left=False)
        turn.left = True  # a seat that is on its way is given back
        if not turn.end.done():
            self.given_up += 1
            turn.end.set_exception(turn.refusal)
            turn.end.exception()

    def _over(self, turn: Turn, *, left: bool) -> None:
        self.queue.leave(turn.number)
        self._forget(turn, left=left)

    def _forget(self, turn: Turn, *, left: bool) -> None:
        """Out of the hall, whatever became of him."""
        if self._turns.pop(turn.number, None) is None:
            return
        if turn.timer is not None:
            turn.timer.cancel()
        self.went += left
        now_s = self._clock.now_s()
        self.rates.went(now_s - turn.came_s, left=left)
        if left and turn.told is not None:
            self.honesty.left(turn.told[2], now_s - turn.told[0])
        lines = set(self.queue.lines())
        self._refused = {line: seen for line, seen in self._refused.items() if line in lines}
        if not self._turns:
            self.rates.idle()

    def _make_room(self, asker: Asker) -> None:
        """One tenant's flood does not crowd the others out. Raises NoRoom."""
        if len(self._turns) < self._most:
            return
        self.crowded_out += 1
        youngest = self.queue.crowder(asker.tenant)
        if youngest is None:
            raise asker.refusal
        self._refuse(self._turns[youngest.number])

    # --- what happens outside ---

    async def _follow(self) -> None:
        seen = self._changes.count
        while True:
            await self._changes.since(seen)
            await self._clock.sleep(self._settle_s)
            seen = self._settled = self._changes.count
            self._wake.set()

    async def _sweep(self) -> None:
        while True:
            await self._clock.sleep(SWEEP_S)
            for turn in list(self._turns.values()):
                if not turn.trying and turn.asker.gone():
                    self._fail(turn, CallerGone("nobody waits for the answer any more"))
