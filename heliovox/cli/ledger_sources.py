"""Where the records of ledgers are to be had: nodes' folders and regions' stores."""

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import msgspec

from control_plane.ledger.bundle import Stretch, joined
from edge_node.ledger.key import ledger_key
from edge_node.ledger.segments import Segments, read_segment
from heliovox.cli.exits import UsageError
from heliovox.local.home import Home
from shared import subjects
from shared.bus.nats_bus import NatsBus
from shared.ledger.copies import Copy
from shared.ledger.heads import key_hex, log_of
from shared.nats_permissions import inbox

Found = tuple[str, list[Stretch]]
"""A ledger's name, and stretches of it."""


def of_world() -> list[Path]:
    """The folders of the nodes of the world that runs here. Raises UsageError for none."""
    world = Home.of(os.environ, Path.home()).world()
    if world is None:
        raise UsageError("no world runs here: say where records are with --store or --ledger")
    nodes = Path(world.folder) / "run" / "nodes"
    return [nodes / node.node / "ledger" for node in world.nodes]


def of_folder(folder: Path) -> Found:
    """What a node has on its disk. Raises UsageError where there is no ledger, OSError."""
    key_file = folder / "ledger.key"
    if not key_file.exists():
        raise UsageError(f"{folder} holds no ledger")
    log = log_of(key_hex(ledger_key(key_file)))
    read = [read_segment(one) for one in Segments(folder, 0).segments()]
    return log, [Stretch(place, tuple(lines)) for place, lines in read]


async def of_store(region: str, url: str, seed_file: Path) -> list[Found]:
    """What a region's store keeps of its nodes' ledgers. Raises BusFailed, CredentialsRefused."""
    name = f"custodian-{region}"
    bus = await NatsBus.connect(url, seed_file, name=name, inbox_prefix=inbox(name))
    found = []
    try:
        pattern = f"{subjects.CONTENT}.{subjects.token(region)}.*.ledger"
        async for stored in bus.read_now(subjects.CONTENT_STREAM, subject=pattern):
            copy = msgspec.json.decode(stored.data, type=Copy)
            lines = tuple(line.encode() for line in copy.lines)
            found.append((copy.log, [Stretch(copy.place, lines)]))
    finally:
        await bus.close()
    return found


def together(found: Iterable[Found]) -> dict[str, Stretch]:
    """Each ledger as one."""
    by_log: dict[str, list[Stretch]] = defaultdict(list)
    for log, stretches in found:
        by_log[log] += stretches
    whole = {log: joined(stretches) for log, stretches in by_log.items()}
    return {log: one for log, one in whole.items() if one is not None}
