"""Stores of several regions at once: found, looked through, and deleted from until it is proven."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec

from shared.bus.nats_bus import NatsBus
from shared.clock import Clock
from shared.content.contents import Damaged, KeptSession, merged, sessions_in
from shared.content.records import Deletion, KeptFinal, PlaceDeleted
from shared.content.stores import Store, announce, confirm
from shared.errors import BusFailed, InvalidMessage
from shared.nats_permissions import inbox

CONNECT_S = 3.0
AGAIN_S = 1.0


class StoreAddress(msgspec.Struct, frozen=True):
    """A region's store and its custodian's key."""

    region: str
    url: str
    seed_file: str
    """Of an nkey; the file is its owner's alone."""
    custodian: str = ""
    """The name beside the key in the server's configuration; else custodian-<region>."""

    @property
    def name(self) -> str:
        """As whom to connect."""
        return self.custodian or custodian_of(self.region)


def custodian_of(region: str) -> str:
    """The usual name of whoever reads and deletes the content that a region keeps."""
    return f"custodian-{region}"


def read_addresses(text: bytes) -> tuple[StoreAddress, ...]:
    """A file of stores. Raises InvalidMessage."""
    try:
        addresses = msgspec.json.decode(text, type=tuple[StoreAddress, ...])
    except msgspec.DecodeError as error:
        raise InvalidMessage(
            f"not a list of stores: {error}",
            field="stores",
            remedy='write [{"region": ..., "url": "nats://...", "seed_file": ...}, ...]',
        ) from error
    if len({one.region for one in addresses}) != len(addresses) or not addresses:
        raise InvalidMessage("name at least one store, and no region twice", field="stores")
    return addresses


@asynccontextmanager
async def opened(addresses: Sequence[StoreAddress]) -> AsyncIterator[list[Store]]:
    """Connections to all of them; those that do not answer are connected once they do.

    Raises CredentialsRefused where a seed file is none.
    """
    async with AsyncExitStack() as stack:
        stores = []
        for one in addresses:
            bus = await NatsBus.connect(
                one.url,
                Path(one.seed_file),
                name=one.name,
                inbox_prefix=inbox(one.name),
                wait_s=0,
            )
            stack.push_async_callback(bus.close)
            stores.append(Store(one.region, bus))
        await _until_connected(stores)
        yield stores


async def _until_connected(stores: Sequence[Store]) -> None:
    """All of them, or as many as answer in time."""
    try:
        async with asyncio.timeout(CONNECT_S):
            while not all(store.bus.connected for store in stores):  # noqa: ASYNC110 it has no event
                await asyncio.sleep(0.02)
    except TimeoutError:
        return


Away = Mapping[str, str]
"""Why stores did not answer, by region."""


async def look(stores: Sequence[Store]) -> tuple[list[KeptSession], Away]:
    """Everything that is kept in those that answer."""
    told = await asyncio.gather(*(store.counts() for store in stores), return_exceptions=True)
    counts, away = {}, {}
    for store, one in zip(stores, told, strict=True):
        if isinstance(one, (BusFailed, TimeoutError)):
            away[store.region] = str(one) or "no answer in time"
        elif isinstance(one, BaseException):
            raise one
        else:
            counts[store.region] = one
    return sessions_in(counts), away


class Words(msgspec.Struct, frozen=True):
    """What is kept of a session's words."""

    finals: tuple[KeptFinal, ...]
    damaged: tuple[tuple[str, int], ...] = ()
    """Pieces that cannot be read: region of the store, sequence there."""
    away: Mapping[str, str] = {}
    deleted: Deletion | None = None
    """That they were deleted, if they were."""


async def words_of(stores: Sequence[Store], session: str) -> Words:
    """A session's words, from whichever stores answer."""
    finals: list[KeptFinal] = []
    damaged: list[Damaged] = []
    away: dict[str, str] = {}
    deleted: Deletion | None = None
    for store in stores:
        try:
            here, broken = await store.finals(session)
            deleted = await store.receipt(session) or deleted
        except (BusFailed, TimeoutError) as error:
            away[store.region] = str(error) or "no answer in time"
            continue
        finals += here
        damaged += broken
    return Words(
        tuple(merged(finals)),
        tuple((one.place, one.sequence) for one in damaged),
        away,
        deleted,
    )


async def delete(
    stores: Sequence[Store], session: str, *, at_ms: int, wait_s: float, clock: Clock
) -> Deletion:
    """Deletes a session everywhere, asks what is left, and tries again where that is not proven.

    Args:
        stores: all places in which something of it may lie.
        session: its name.
        at_ms: now, since 1970.
        wait_s: how long stores that do not answer are asked again.
        clock: to wait by.
    """
    until_s = clock.now_s() + wait_s
    await announce(stores, session)
    found: dict[str, PlaceDeleted] = {}
    while True:
        due = [s for s in stores if s.region not in found or not found[s.region].verified]
        for one in await asyncio.gather(*(store.delete(session) for store in due)):
            found[one.region] = _as_of_both(found.get(one.region), one)
        if all(one.verified for one in found.values()) or clock.now_s() >= until_s:
            break
        await clock.sleep(AGAIN_S)
    places = tuple(found[store.region] for store in stores)
    receipt = Deletion(session, at_ms, all(one.verified for one in places), places)
    found_any = any(one.before for one in places)
    if found_any or not receipt.verified or await _was_begun(stores, session):
        await confirm(stores, receipt)
    return receipt


async def _was_begun(stores: Sequence[Store], session: str) -> bool:
    """Whether an earlier deletion was left unproven: then this one is its end."""
    for store in stores:
        try:
            earlier = await store.receipt(session)
        except (BusFailed, TimeoutError):
            continue
        if earlier is not None and not earlier.verified:
            return True
    return False


def _as_of_both(earlier: PlaceDeleted | None, later: PlaceDeleted) -> PlaceDeleted:
    """The first count of before: what was deleted then is not there any more."""
    if earlier is None or earlier.before is None:
        return later
    nodes = tuple(sorted({*earlier.nodes, *later.nodes}))
    return msgspec.structs.replace(later, before=earlier.before, nodes=nodes)
