"""What the conversations of a node share."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge_node.desk import Desk
from edge_node.keeping.transcripts import NoRecord, Record
from edge_node.ledger.sessions import SessionLedger
from edge_node.recovery.service import Recoveries
from edge_node.relaying import Relays
from edge_node.sessions.limits import Limits
from edge_node.sessions.opening import Offer
from edge_node.stt.device import Device
from edge_node.tally import Tally
from edge_node.tts.saying import Speaker
from shared.tasks import Tasks

if TYPE_CHECKING:
    from edge_node.arriving import Arrival
    from edge_node.conversation import Conversation


@dataclass(frozen=True)
class House:
    """What the conversations of a node share."""

    offer: Offer
    limits: Limits
    desk: Desk
    device: Device
    speaker: Speaker
    tasks: Tasks
    recoveries: Recoveries
    """Sessions that go on after a lost connection."""
    tally: Tally = field(default_factory=Tally)
    relays: Relays = field(default_factory=Relays)
    ledger: SessionLedger | None = None
    """None on a node that is in no fleet."""
    record: Record = field(default_factory=NoRecord)
    live: dict[str, "Conversation"] = field(default_factory=dict)
    """Sessions with a seat, by id."""
    arriving: "set[Arrival]" = field(default_factory=set)
    """Callers whose place is being asked for: perhaps one here."""
    passed: set["Conversation"] = field(default_factory=set)
    """Callers who are passed on: this node hears them, too."""
