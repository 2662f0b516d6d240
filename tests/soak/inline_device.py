"""The device without its thread: every step is taken when its audio comes, and told in order."""

import asyncio
from collections.abc import Callable, Sequence

from edge_node.sessions.heard import Heard
from edge_node.stt.device import Occupant
from edge_node.stt.engine import Engine, Profile
from edge_node.stt.seat import Asked, Seat

Listen = Callable[[Sequence[Heard]], None]


class InlineDevice:
    """For a virtual clock, where a thread would be a stranger to time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.inside = 0
        """Sessions that are on it."""
        self.waiting = 0

    @property
    def profile(self) -> Profile:
        """The engine's."""
        return self._engine.profile

    def enter(self, seat: Seat, listen: Listen, graph: str = "") -> Occupant:
        """A session takes its seat."""
        self.inside += 1
        return Occupant(seat, listen, graph, self._engine.open(graph))

    def push(self, one: Occupant, item: bytes | Asked) -> None:
        """Audio, or a wish: all steps that it makes possible, at once."""
        if not one.seat.push(item):
            return
        heard: list[Heard] = []
        while not one.left and not one.seat.waits:
            self._turn(one, heard)
        if heard:
            asyncio.get_running_loop().call_soon(self._tell, one, heard)

    def _turn(self, one: Occupant, heard: list[Heard]) -> None:
        said, ended, samples = one.seat.turn()
        heard += said
        assert one.stream is not None
        if ended:
            self._engine.reset(one.stream)
        if samples is None:
            return
        self._engine.accept(one.stream, samples)
        [tokens] = self._engine.step([one.stream])
        said, ended = one.seat.stepped(tokens)
        heard += said
        if ended:
            self._engine.reset(one.stream)

    @staticmethod
    def _tell(one: Occupant, heard: list[Heard]) -> None:
        if not one.left:
            one.listen(heard)

    def wants_room(self, occupant: Occupant, *, yes: bool) -> None:
        """There is always room: audio is worked off when it comes."""

    def leave(self, occupant: Occupant) -> None:
        """The session gives its seat back."""
        occupant.left = True
        self.inside -= 1
        if occupant.stream is not None:
            self._engine.close(occupant.stream)
            occupant.stream = None
