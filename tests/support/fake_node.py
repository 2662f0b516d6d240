"""A node on the bus that reports, holds seats and does as it is told; no audio, no sockets."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import msgspec

from shared import subjects
from shared.bus import Bus, Subscription
from shared.capacity import CapacityReport, KindRoom
from shared.clock import wall_s
from shared.exchange import Command, CommandDone, Reserve, Reserved, SessionNote

_boots = itertools.count(1)
Scripted = Callable[[Reserve], Reserved | None]


class FakeNode:
    """One node. Reports when it is told to (`report`), or once a period (`reporting`).

    Args:
        seats: how many sessions fit.
        answer: what it says to a Reserve instead of counting; None says nothing.
    """

    def __init__(
        self,
        bus: Bus,
        region: str,
        name: str,
        *,
        seats: int = 10,
        boot: str | None = None,
        answer: Scripted | None = None,
        **says: Any,
    ) -> None:
        self.bus, self.region, self.name = bus, region, name
        self.boot = boot or f"b{next(_boots):06d}"
        self.seats, self.answer, self.says = seats, answer, says
        self.held: dict[str, Reserve] = {}
        self.asked: list[Reserve] = []
        self.commands: list[Command] = []
        self.seq = 0
        self.deaf = False
        self.deaf_to: set[str] = set()
        """Commands that it does not answer."""
        self.refuses: dict[str, str] = {}
        """Commands that it will not do, and what it says then."""
        self.life: asyncio.Task[None] | None = None
        """What reports for it, where something does."""
        self._subscriptions: list[Subscription] = []

    async def begin(self) -> "FakeNode":
        """Listens, and reports once."""
        for subject, handler in (
            (subjects.reserve(self.region, self.name), self._reserve),
            (subjects.command(self.region, self.name), self._command),
        ):
            self._subscriptions.append(await self.bus.subscribe(subject, handler))
        await self.report()
        return self

    async def end(self) -> None:
        """As if killed: no goodbye."""
        if self.life is not None:
            self.life.cancel()
        for subscription in self._subscriptions:
            await subscription.end()
        self._subscriptions = []

    async def leave(self) -> None:
        """As it should: with a goodbye."""
        await self.end()
        await self.report(goodbye=True)

    def room(self) -> int:
        return max(0, self.seats - len(self.held))

    def now(self, **says: Any) -> CapacityReport:
        """What it says of itself now."""
        self.seq += 1
        said: dict[str, Any] = {
            "node": self.name,
            "region": self.region,
            "boot": self.boot,
            "seq": self.seq,
            "at_ms": round(wall_s() * 1000),
            "url": f"ws://127.0.0.1:9/{self.name}",
            "version": "test",
            "kinds": {
                "recognition": KindRoom(0, self.room()),
                "synthesis": KindRoom(0, self.room()),
            },
            "limit": self.seats,
            "reserved": len(self.held),
            "languages": ("en",),
        }
        return CapacityReport(**(said | self.says | says))

    async def report(self, **says: Any) -> None:
        subject = subjects.report(self.region, self.name)
        await self.bus.publish(subject, msgspec.json.encode(self.now(**says)))

    async def reporting(self, period_s: float = 1.0) -> None:
        """Until cancelled."""
        while True:
            await self.report()
            await asyncio.sleep(period_s)

    async def note(self, event: str, session: str, **says: Any) -> None:
        """Notes something about a session, as a node does: kept by the region's stream."""
        said: dict[str, Any] = {
            "id": f"{session}-{event}-{len(says)}",
            "event": event,
            "session": session,
            "node": self.name,
            "region": self.region,
            "boot": self.boot,
            "kind": "recognition",
            "language": "en",
            "model": "m",
            "tenant": "caller",
            "policy": "default",
            "policy_version": "v",
            "decision": None,
            "admitted_by": "ticket",
            "at_ms": round(wall_s() * 1000),
        }
        note = SessionNote(**(said | says))
        await self.bus.keep(
            subjects.note(self.region, self.name), msgspec.json.encode(note), note.id
        )

    async def _reserve(self, _subject: str, data: bytes) -> bytes | None:
        wanted = msgspec.json.decode(data, type=Reserve)
        self.asked.append(wanted)
        if self.deaf:
            await asyncio.sleep(3600)
        answer = self._counted(wanted) if self.answer is None else self.answer(wanted)
        return None if answer is None else msgspec.json.encode(answer)

    def _counted(self, wanted: Reserve) -> Reserved:
        if not self.room():
            return Reserved(
                False, self.name, self.boot, code="node_full", held=len(self.held), limit=self.seats
            )
        self.held[wanted.session] = wanted
        return Reserved(
            True, self.name, self.boot, wanted.ttl_s, held=len(self.held), limit=self.seats
        )

    async def _command(self, _subject: str, data: bytes) -> bytes | None:
        told = msgspec.json.decode(data, type=Command)
        self.commands.append(told)
        if told.do in ("release", "end_session") and told.session is not None:
            self.held.pop(told.session, None)
        if told.do in ("drain", "undrain"):
            self.says["draining"] = told.do == "drain"
            await self.report()
        if told.do in self.deaf_to:
            return None
        if told.do in self.refuses:
            return msgspec.json.encode(CommandDone(False, self.refuses[told.do]))
        return msgspec.json.encode(CommandDone(True))
