"""One region's store of content, as its custodian uses it."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import msgspec

from shared import subjects
from shared.bus import Bus
from shared.content.contents import Damaged, nodes_in
from shared.content.records import TRANSCRIPTS, Deletion, KeptFinal, PlaceDeleted
from shared.errors import BusFailed
from shared.subjects import CONTENT_STREAM, kept_of

RECEIPT_S = 400 * 86_400
"""How long it is remembered that a session's content was deleted: somewhat more than a year."""
WORK_S = 60.0
"""For all that is read from one store at a time. Each single call has its own limit (5 s)."""
DELETE_S = 600.0
"""For a deletion: a store overwrote 20 to 300 pieces a second."""
ERASE_AT_ONCE = 8
"""More would wait for each other for longer than a call waits before it asks again."""


@dataclass(frozen=True, slots=True)
class Store:
    """A store and a custodian's connection to it. Calls raise BusFailed, or TimeoutError."""

    region: str
    bus: Bus

    async def counts(self) -> Mapping[str, int]:
        """How many pieces of content lie there, by subject."""
        async with asyncio.timeout(WORK_S):
            return await self.bus.count(CONTENT_STREAM, f"{subjects.CONTENT}.>")

    async def pieces(self, session: str) -> int:
        """How many lie there of one session."""
        return sum((await self.bus.count(CONTENT_STREAM, kept_of(session))).values())

    async def finals(self, session: str) -> tuple[list[KeptFinal], list[Damaged]]:
        """Its words, and what lies among them and cannot be read."""
        finals: list[KeptFinal] = []
        damaged: list[Damaged] = []
        pattern = f"{subjects.CONTENT}.*.*.{subjects.token(session)}.{TRANSCRIPTS}"
        async with (
            asyncio.timeout(WORK_S),
            aclosing(self.bus.read_now(CONTENT_STREAM, subject=pattern)) as read,  # type: ignore[type-var]
        ):
            async for stored in read:
                try:
                    finals.append(msgspec.json.decode(stored.data, type=KeptFinal))
                except (msgspec.DecodeError, UnicodeDecodeError):
                    if stored.data:  # an empty one only says that those before it are gone
                        damaged.append(Damaged(self.region, stored.sequence))
        return finals, damaged

    async def receipt(self, session: str) -> Deletion | None:
        """That it was deleted, where it was."""
        read = self.bus.read_now(CONTENT_STREAM, subject=subjects.deleted(session))
        found: Deletion | None = None
        async with asyncio.timeout(WORK_S), aclosing(read) as stored:  # type: ignore[type-var]
            async for one in stored:
                try:
                    found = msgspec.json.decode(one.data, type=Deletion)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue
        return found

    async def confirm(self, receipt: Deletion) -> None:
        """Remembers that a session was deleted, in the place of what was remembered before."""
        message_id = f"{receipt.session}/deleted/{receipt.at_ms}/{receipt.verified}"
        await self.bus.keep(
            subjects.deleted(receipt.session),
            msgspec.json.encode(receipt),
            message_id,
            for_s=RECEIPT_S,
            replaces=True,
        )

    async def delete(self, session: str) -> PlaceDeleted:
        """Overwrites every piece of a session, and asks what is left. Never raises."""
        before: int | None = None
        nodes: tuple[str, ...] = ()
        try:
            async with asyncio.timeout(DELETE_S):
                counts = await self.bus.count(CONTENT_STREAM, kept_of(session))
                before, nodes = sum(counts.values()), nodes_in(counts)
                await self._erase(session)
                _ = await self.bus.purge(CONTENT_STREAM, kept_of(session))
                left = await self.pieces(session)
                return PlaceDeleted(self.region, before, left, nodes=nodes)
        except (BusFailed, TimeoutError) as error:
            why = str(error) or f"it took longer than {DELETE_S:g} s"
            return PlaceDeleted(self.region, before, None, why, nodes)

    async def _erase(self, session: str) -> None:
        """One after another would wait for every answer: purging alone leaves bytes on the disk."""
        read = self.bus.read_now(CONTENT_STREAM, subject=kept_of(session))
        async with aclosing(read) as stored:  # type: ignore[type-var]
            sequences = [one.sequence async for one in stored]
        for at in range(0, len(sequences), ERASE_AT_ONCE):
            some = sequences[at : at + ERASE_AT_ONCE]
            await asyncio.gather(*(self.bus.erase(CONTENT_STREAM, one) for one in some))


async def announce(stores: Sequence[Store], session: str) -> None:
    """Tells nodes to keep no more of a session, wherever a store answers."""
    said = (store.bus.publish(subjects.forget(session), b"") for store in stores)
    await asyncio.gather(*(_as_can_be(one) for one in said))


async def confirm(stores: Sequence[Store], receipt: Deletion) -> None:
    """Leaves the receipt wherever a store answers."""
    await asyncio.gather(*(_as_can_be(store.confirm(receipt)) for store in stores))


async def _as_can_be(said: Awaitable[None]) -> None:
    try:
        await said
    except BusFailed:
        return  # the place's own line in the receipt says what does not answer
