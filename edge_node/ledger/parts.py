"""The parts of a node's ledger, put together."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge_node.centre.identity import Identity
from edge_node.desk import Terms
from edge_node.ledger.book import Book, Facts
from edge_node.ledger.heads import Heads
from edge_node.ledger.key import ledger_key
from edge_node.ledger.segments import Segments
from edge_node.ledger.sessions import SessionLedger
from edge_node.ledger.shipping import Shipping
from edge_node.settings import LedgerSettings
from shared import subjects
from shared.bus import Bus
from shared.clock import Clock, wall_ms
from shared.ledger.heads import key_hex, log_of
from shared.policy import CompiledPolicy

DAY_S = 86_400


@dataclass(frozen=True)
class NodeLedger:
    """What `member.py` hands on. The services start in this order."""

    book: Book
    heads: Heads
    shipping: Shipping
    sessions: SessionLedger


@dataclass(frozen=True)
class Around:
    """What a ledger needs of the node around it.

    Args:
        who: the node.
        centre_key: the centre's.
        policy: what a session's policy comes to now; None where that is not known.
        pseudonym: of a tenant's caller.
        show_head: shows the centre a signed head. Raises BusFailed.
        store: connects to the region's store; None where it has none.
    """

    who: Identity
    centre_key: Ed25519PublicKey
    policy: Callable[[Terms], CompiledPolicy | None]
    pseudonym: Callable[[str, str | None], str | None]
    show_head: Callable[[bytes], Awaitable[bytes]]
    store: Callable[[], Awaitable[Bus]] | None


def make_ledger(settings: LedgerSettings, folder: Path, around: Around, clock: Clock) -> NodeLedger:
    """A node's ledger. Raises LedgerKeyRefused, OSError.

    Args:
        settings: its limits.
        folder: where it is.
        around: the rest of the node.
        clock: to wait by.
    """
    key = ledger_key(folder / "ledger.key")
    public, who = key_hex(key), around.who
    segments = Segments(folder, settings.max_bytes)
    every_s, centre = settings.head_every_s, key_hex(around.centre_key)
    heads = Heads(folder, who, key, centre, around.show_head, clock, every_s)

    def kept_elsewhere() -> int:
        return min(heads.size(), shipping.copied())

    book = Book(segments, Facts(who, public, wall_ms, heads.size, kept_elsewhere), clock)
    shipping = Shipping(
        segments,
        book,
        log_of(public),
        subjects.content(who.region, who.node, "ledger"),
        around.store,
        clock,
        settings.keep_days * DAY_S,
    )
    heads.book, heads.wall_ms = book, wall_ms
    return NodeLedger(
        book, heads, shipping, SessionLedger(book, clock, around.policy, around.pseudonym)
    )
