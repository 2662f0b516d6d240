"""Which sessions of a ledger are open, told from its records alone (pure)."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from shared.ledger.records import NODE_DIED, Closed


class Open(msgspec.Struct):
    """What the next start of a node must know of a session that this one left open."""

    samples: int = 0
    """Heard up to here, as far as is written down."""


class Standing:
    """The sessions that are open now.

    Args:
        open_: those that were, where a ledger is gone on with.
    """

    def __init__(self, open_: dict[str, Open] | None = None) -> None:
        self.open = dict(open_ or {})

    def take(self, record: dict[str, Any]) -> None:
        """One record, in its order."""
        match record.get("what"):
            case "opened":
                self.open[record["session"]] = Open(record["from_sample"])
            case "closed":
                self.open.pop(record["session"], None)
            case "heard":
                known = self.open.get(record["session"])
                if known is not None and record["unit"] == "samples":
                    known.samples = max(known.samples, record["to"])

    def died(self) -> Iterator[Closed]:
        """How the next start closes them, honest about what it cannot know."""
        for session, left in sorted(self.open.items()):
            yield Closed(
                session=session,
                reason=NODE_DIED,
                samples=None,
                characters=None,
                total=None,
                unknown_from=left.samples,
            )


def standing_of(lines: Iterable[bytes], before: Standing) -> Standing:
    """Which sessions are open after some lines. Raises msgspec.DecodeError for what is none."""
    for line in lines:
        before.take(msgspec.json.decode(line))
    return before
