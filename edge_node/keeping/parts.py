"""The parts that keep content, put together for a node of a fleet."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from edge_node.centre.identity import Identity
from edge_node.centre.rules import Rules
from edge_node.keeping.keeper import Keeper
from edge_node.keeping.outbox import Outbox
from edge_node.keeping.passing import Passing
from edge_node.keeping.sender import Sender
from edge_node.settings import ContentSettings
from shared.bus import Bus
from shared.clock import Clock, wall_ms
from shared.content.records import Deletion

PASSING = "passing"
StoreDial = Callable[[str], Awaitable[Bus]]
"""Connects to the server of a URL, without waiting for it."""


def make_keeper(
    settings: ContentSettings,
    state_dir: Path,
    who: Identity,
    rules: Callable[[], Rules | None],
    dial: StoreDial,
    clock: Clock,
    note_deleted: Callable[[Deletion], None],
) -> Keeper:
    """A keeper with a sender for every store of the settings.

    Args:
        settings: which stores there are.
        state_dir: of the node.
        who: the node.
        rules: those of now.
        dial: connects to a store's server.
        clock: to wait by.
        note_deleted: told of verified deletions of what this node had kept.
    """
    senders: dict[str, Sender] = {}
    keeper = Keeper(who, rules, senders, Passing(state_dir / PASSING), wall_ms, note_deleted)

    for region, url in settings.servers.items():
        senders[region] = Sender(
            region,
            partial(dial, url),
            Outbox(settings.max_waiting_bytes),
            clock,
            told=keeper,
            wall_ms=wall_ms,
        )
    return keeper
