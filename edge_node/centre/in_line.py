"""A caller in the control plane's line, on his own connection: the node asks on until his turn."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from heliovox.protocol.control import InLine
from shared.clock import Clock
from shared.errors import BusFailed, CentreUnreachable, NotFound
from shared.exchange import NodeWait, PlaceAnswer

LOOK_S = 2.0
"""Of one look. The centre answers by then, within what a node waits for an answer."""
TELL_S = 4.0
"""Between two messages to the caller at most, so that he sees that somebody waits with him."""
LOST_S = 5.0
"""Without an answer for so long his place is lost."""
AGAIN_S = 0.5
_GRACE_S = 30.0

Tell = Callable[[InLine], None]


class Line(Protocol):
    """The control plane that has his place."""

    async def still(self, plane: str, wait: NodeWait) -> PlaceAnswer:
        """How it stands. Raises BusFailed."""
        ...

    def leave(self, plane: str, waiting: str) -> None:
        """He waits no more; a seat that he has by now is given back."""
        ...


class InTheirLine:
    """One caller's place.

    Args:
        plane: the control plane that has it.
        first: as it was when he came.
        tell: tells him.
    """

    def __init__(self, line: Line, plane: str, first: InLine, tell: Tell, clock: Clock) -> None:
        self._line, self._plane, self._said = line, plane, first
        self._tell, self._clock = tell, clock
        self._told_s = self._heard_s = clock.now_s()
        self._until_s = self._heard_s + first.expires_s + _GRACE_S

    async def end(self) -> PlaceAnswer:
        """A seat, or a refusal. Whoever is cancelled meanwhile gives his place up.

        Raises:
            CentreUnreachable: the control plane is gone, and his place with it.
        """
        self._tell(self._said)
        try:
            while True:
                answer = await self._look()
                if answer is not None and answer.in_line is None:
                    if answer.code == NotFound.code:
                        raise _lost("was started again")
                    return answer
                if answer is None:
                    await self._clock.sleep(AGAIN_S)
        except asyncio.CancelledError:
            self._line.leave(self._plane, self._said.waiting)
            raise

    async def _look(self) -> PlaceAnswer | None:
        """None where nobody answered, for now."""
        wait = NodeWait(self._said.waiting, self._said.version, LOOK_S)
        try:
            answer = await self._line.still(self._plane, wait)
        except BusFailed as error:
            now_s = self._clock.now_s()
            if now_s - self._heard_s >= LOST_S or now_s >= self._until_s:
                raise _lost("does not answer any more") from error
            return None
        self._heard_s = now_s = self._clock.now_s()
        if answer.in_line is not None:
            self._stands(answer.in_line, now_s)
        return answer

    def _stands(self, now: InLine, now_s: float) -> None:
        if now.version > self._said.version or now_s - self._told_s >= TELL_S:
            self._told_s = now_s
            self._tell(now)
        self._said = now


def _lost(why: str) -> CentreUnreachable:
    return CentreUnreachable(
        f"the control plane {why}, and the place in line is lost",
        field="waiting",
        remedy="start again: there may be a seat, or another place in line",
    )
