"""A lawful seat for a session that may not go on where it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge_node.centre.admittance import ask_for
from edge_node.centre.desk import said_by_the_centre
from edge_node.centre.review import Ruling
from edge_node.desk import Elsewhere, Terms
from heliovox.protocol.control import InLine
from heliovox.protocol.messages import Start
from shared.errors import BusFailed, CentreUnreachable, NotAllowed
from shared.exchange import NodeAsk, PlaceAnswer

WHY = "no_longer_allowed"
"""As the centre hears it, and the caller in his redirect."""


class Centre(Protocol):
    """Who knows the whole fleet."""

    async def place(self, ask: NodeAsk) -> PlaceAnswer:
        """Where a caller should go. Raises BusFailed."""
        ...

    def give_back(self, session: str) -> None:
        """A seat elsewhere is not needed."""
        ...


@dataclass(frozen=True, slots=True)
class LawfulSeat:
    """See `edge_node.desk.Question`. The answer is held against the node's own rules."""

    start: Start
    kind: str
    terms: Terms
    ruling: Ruling
    centre: Centre

    async def settle(self, tell: Callable[[InLine], None]) -> Elsewhere:
        """See Question. Nobody who may not stay waits for a seat."""
        _ = tell
        ask = ask_for(self.start, self.kind, self.terms, WHY, relay=False, waits=False)
        try:
            answer = await self.centre.place(ask)
        except BusFailed as error:
            raise CentreUnreachable("the control plane does not answer") from error
        if not answer.placed:
            raise said_by_the_centre(answer)
        if answer.region not in self.ruling.elsewhere:
            self.centre.give_back(answer.session)
            raise NotAllowed(f"the control plane names {answer.region}, which is forbidden, too")
        return Elsewhere(answer, WHY, self.terms)
