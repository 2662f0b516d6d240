"""Tells nodes that a session goes on elsewhere, until they know."""

from collections import Counter
from collections.abc import Callable

from control_plane.commands import CommandRefused, Commands
from control_plane.sessions.row import Copy
from control_plane.sessions.twice import Twice
from shared.clock import wall_ms
from shared.errors import BusFailed
from shared.exchange import SessionNote
from shared.tasks import Tasks

AT_ONCE = 64
"""Nodes that are told at one time; the rest are told a second later."""


class GivingUp:
    """Keeps every session at one node. All control planes do: being told twice does no harm.

    Args:
        gone: whether a node's boot is no more.
        tasks: own what waits for an answer.
    """

    def __init__(self, commands: Commands, gone: Callable[[str, str], bool], tasks: Tasks) -> None:
        self._commands, self._gone, self._tasks = commands, gone, tasks
        self._twice, self._running = Twice(), 0
        self.answers: Counter[str] = Counter()
        """Nodes told, by what they said: `given_up`, `kept`, or nothing (`silent`)."""

    def __len__(self) -> int:
        return len(self._twice)

    def found(self, copy: Copy) -> None:
        """A session is at another node than the one that has it."""
        self._twice.add(copy, wall_ms())

    def noted(self, note: SessionNote) -> None:
        """What a node says."""
        self._twice.noted(note)

    def each_second(self) -> None:
        """Tells those whose turn it is."""
        for copy in self._twice.due(wall_ms(), self._gone):
            if self._running < AT_ONCE:
                self._running += 1
                _ = self._tasks.begin(self._tell(copy), "a session given up")

    async def _tell(self, copy: Copy) -> None:
        try:
            await self._commands.give_up(copy)
        except CommandRefused:  # it came back to that node meanwhile, whose note is on its way
            self.answers["kept"] += 1
            self._twice.over(copy)
        except BusFailed:
            self.answers["silent"] += 1
        else:
            self.answers["given_up"] += 1
            self._twice.over(copy)
        finally:
            self._running -= 1
