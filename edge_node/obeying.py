"""What the centre may tell a node to do with one of its sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_node.recovery.service import Recoveries
from shared.exchange import MoveTo

if TYPE_CHECKING:
    from edge_node.conversation import Conversation


@dataclass(frozen=True)
class Sessions:
    """Those with a connection, and those that wait for one. See `Obedient`."""

    live: "Mapping[str, Conversation]"
    recoveries: Recoveries

    def end(self, session: str) -> bool:
        """See Obedient."""
        if (talk := self.live.get(session)) is not None:
            talk.drain_over("operator")
            return True
        return self.recoveries.end(session, "operator")

    def move(self, session: str, to: MoveTo) -> bool:
        """See Obedient."""
        talk = self.live.get(session)
        return talk is not None and talk.move(to)

    def give_up(self, session: str, through_sample: int, number: int) -> bool:
        """See Obedient."""
        return self.recoveries.give_up(session, through_sample, number)
