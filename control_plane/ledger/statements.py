"""Gathers what the centre states of a time, from its streams."""

from collections.abc import AsyncIterator
from typing import TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from control_plane.ledger.sessions import sessions_of
from control_plane.ledger.statement import Span, centre_files
from control_plane.ledger.worlds import ALL_WORLDS
from control_plane.streams import CENTRE_NOTES, DECISIONS, LEDGER
from heliovox.protocol.control import DecisionView
from shared.bus import Bus
from shared.clock import Clock, wall_ms
from shared.errors import InvalidMessage, TooBig
from shared.exchange import SessionNote
from shared.ledger.allowed import Published
from shared.ledger.heads import Witnessed
from shared.subjects import CENTRE, META

T = TypeVar("T")
ALL_HEADS = f"{META}.{CENTRE}.*.head.*"
FRESH_S = 10.0
MOST = 200_000
"""Of each: heads, notes, decisions. They are in memory while a statement is made."""


class Statements:
    """What the centre says of any time.

    Args:
        plane: this control plane.
        key: the centre's.
    """

    def __init__(self, bus: Bus, clock: Clock, plane: str, key: Ed25519PrivateKey) -> None:
        self._bus, self._clock, self._plane, self._key = bus, clock, plane, key
        self._latest: tuple[float, list[Witnessed]] | None = None

    async def heads(self) -> list[Witnessed]:
        """The last head of every ledger, at most FRESH_S old: for whoever keeps them to compare.

        Raises TooBig, BusFailed.
        """
        now_s = self._clock.now_s()
        if self._latest is None or now_s - self._latest[0] > FRESH_S:
            seen = await self._all(LEDGER.name, Witnessed, ALL_HEADS)
            self._latest = (now_s, list({one.head.log: one for one in seen}.values()))
        return self._latest[1]

    async def files(self, from_ms: int, until_ms: int | None) -> dict[str, bytes]:
        """The centre's files of a bundle, by name.

        Args:
            from_ms: since 1970.
            until_ms: likewise, later; None for now.

        Raises:
            InvalidMessage: no time at all.
            TooBig: more than fits into memory.
            BusFailed: the streams do not answer.
        """
        now_ms = wall_ms()
        span = Span(from_ms, now_ms if until_ms is None else min(until_ms, now_ms))
        if not 0 <= span.from_ms < span.until_ms:
            raise InvalidMessage(
                "the time ends before it begins",
                field="from_ms",
                value=from_ms,
                remedy="use milliseconds since 1970, the earlier first",
            )
        heads = await self._all(LEDGER.name, Witnessed, ALL_HEADS)
        notes = await self._all(CENTRE_NOTES, SessionNote)
        batches = await self._all(DECISIONS.name, tuple[DecisionView, ...])
        decisions = [one for batch in batches for one in batch]
        return centre_files(
            span,
            heads,
            sessions_of(span, decisions, notes),
            await self._all(LEDGER.name, Published, ALL_WORLDS),
            plane=self._plane,
            made_at_ms=now_ms,
            key=self._key,
        )

    async def _all(self, stream: str, kind: type[T], subject: str = ">") -> list[T]:
        found: list[T] = []
        async for value in _decoded(self._bus, stream, kind, subject):
            if len(found) == MOST:
                raise TooBig(
                    f"{stream} holds more than {MOST} messages",
                    field="from_ms",
                    remedy="ask for a shorter time, and more often",
                )
            found.append(value)
        return found


async def _decoded(bus: Bus, stream: str, kind: type[T], subject: str) -> AsyncIterator[T]:
    """What is not of the kind is passed over: whoever wrote it, it proves nothing."""
    async for stored in bus.read_now(stream, subject=subject):
        try:
            value = msgspec.json.decode(stored.data, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        yield value
