"""Content in real stores of two regions: nothing is lost with one of them, and gone is gone."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge_node.centre.identity import Identity
from edge_node.keeping.keeper import Keeper
from edge_node.keeping.parts import make_keeper
from edge_node.settings import ContentSettings
from shared import subjects
from shared.bus import Bus
from shared.bus.nats_bus import NatsBus
from shared.clock import SystemClock, wall_ms
from shared.content import custody
from shared.content.custody import StoreAddress
from shared.content.records import TRANSCRIPTS, Deletion
from shared.content.stores import Store
from shared.content.stream import content_stream
from shared.credentials import ensure_seed
from shared.nats_permissions import writer_inbox
from shared.subjects import CONTENT_STREAM
from tests.support.canary import bytes_of
from tests.support.nats_fleet import NatsFleet, nats_fleet, until
from tests.unit.edge_node.keeping.stage import rules, terms

pytestmark = [pytest.mark.process, pytest.mark.anyio]
HOME, MIRROR = "eu-central", "eu-west"
WHO = Identity("c-1", HOME, "boot-1")
STORE_BYTES = 64 << 20


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[NatsFleet]:
    async with nats_fleet(tmp_path_factory.mktemp("fleet")) as fleet:
        async with custodians(fleet) as stores:
            for store in stores:
                await store.bus.ensure_stream(content_stream(STORE_BYTES))
        yield fleet


@asynccontextmanager
async def custodians(fleet: NatsFleet) -> AsyncIterator[list[Store]]:
    addresses = [
        StoreAddress(
            region,
            fleet.servers[region].url,
            str(fleet.seed_file(f"keys-{region}")),
            f"keys-{region}",
        )
        for region in (HOME, MIRROR)
    ]
    async with custody.opened(addresses) as stores:
        yield stores


@asynccontextmanager
async def keeping(
    fleet: NatsFleet, folder: Path, key: str = "content-c-1", **settings: int
) -> AsyncIterator[Keeper]:
    """What node c-1 of eu-central keeps content with."""
    seed_file = fleet.seed_file(key)

    async def dial(url: str) -> Bus:
        prefix = writer_inbox(HOME, "c-1")
        return await NatsBus.connect(url, seed_file, name="c-1", inbox_prefix=prefix, wait_s=0)

    servers = {region: fleet.servers[region].url for region in (HOME, MIRROR)}
    content = ContentSettings(servers=servers, seed_file=seed_file, **settings)
    known = rules()
    noted: list[Deletion] = []
    keeper = make_keeper(content, folder, WHO, lambda: known, dial, SystemClock(), noted.append)
    running = asyncio.get_running_loop().create_task(keeper.run(asyncio.Event()))
    try:
        yield keeper
    finally:
        running.cancel()
        await asyncio.wait([running])


def keep(keeper: Keeper, session: str, parts: range, words: bytes = b"words") -> None:
    for part in parts:
        keeper.keep(session, TRANSCRIPTS, words + b" %d" % part, part=str(part))


async def has(store: Store, session: str, count: int) -> bool:
    return await store.pieces(session) == count


async def parts_in(store: Store, session: str) -> list[int]:
    """Every piece as often as it is there."""
    read = store.bus.read_now(CONTENT_STREAM, subject=subjects.kept_of(session))
    return sorted([int(one.data.split()[-1]) async for one in read])


async def test_a_region_that_dies_under_load_loses_nothing(
    fleet: NatsFleet, tmp_path: Path
) -> None:
    """While it is gone the mirror has all; once it is back it has all too, each piece once."""
    async with keeping(fleet, tmp_path) as keeper, custodians(fleet) as (home, mirror):
        keeper.begin("load", terms("month"))
        keep(keeper, "load", range(500))
        await until(lambda: is_true(keeper.senders[HOME].kept >= 100))
        await fleet.servers[HOME].kill()
        keep(keeper, "load", range(500, 2000))
        await until(lambda: has(mirror, "load", 2000))
        assert await parts_in(mirror, "load") == list(range(2000))
        assert len(keeper.senders[HOME].outbox) > 0
        await fleet.start_leaf(HOME, HOME, f"leaf-{HOME}")
        await until(lambda: is_true(not len(keeper.senders[HOME].outbox)))
        await until(lambda: is_true(home.bus.connected))
        assert await parts_in(home, "load") == list(range(2000))
        assert not keeper.lost


async def is_true(what: bool) -> bool:
    return what


def found_on_disk(fleet: NatsFleet, word: bytes) -> list[Path]:
    files = [path for path in fleet.folder.rglob("*") if path.is_file()]
    return [path for path in files if word in bytes_of(path)]


async def test_deleted_is_gone_from_the_disk_and_only_called_so_where_it_is(
    fleet: NatsFleet, tmp_path: Path
) -> None:
    """The node is gone meanwhile; a store that hangs is not called empty, and is emptied later."""
    async with keeping(fleet, tmp_path) as keeper, custodians(fleet) as stores:
        for session in ("gone", "stays"):
            keeper.begin(session, terms("month"))
            keep(keeper, session, range(300), f"{session}-very-private".encode())
        for store in stores:
            await until(lambda store=store: has(store, "stays", 300))
            await until(lambda store=store: has(store, "gone", 300))
    assert len(found_on_disk(fleet, b"gone-very-private")) == 2
    pid = fleet.servers[MIRROR].pid
    assert pid is not None
    async with custodians(fleet) as stores:
        os.kill(pid, signal.SIGSTOP)
        try:
            receipt = await delete(stores, "gone", wait_s=0)
        finally:
            os.kill(pid, signal.SIGCONT)
        assert [(one.before, one.after) for one in receipt.places] == [(300, 0), (None, None)]
        assert not receipt.verified
        assert receipt.places[1].why
        again = await delete(stores, "gone", wait_s=60)
        assert again.verified
        assert again.places[1].before == 300
        assert found_on_disk(fleet, b"gone-very-private") == []
        assert [await store.pieces("stays") for store in stores] == [300, 300]
        assert [await store.receipt("gone") for store in stores] == [again, again]


async def delete(stores: list[Store], session: str, wait_s: float) -> Deletion:
    return await custody.delete(
        stores, session, at_ms=wall_ms(), wait_s=wait_s, clock=SystemClock()
    )


async def test_what_waits_for_a_store_that_is_gone_does_not_come_back_with_it(
    fleet: NatsFleet, tmp_path: Path
) -> None:
    """The node lives, and is told to forget while one of its places is away."""
    async with keeping(fleet, tmp_path) as keeper, custodians(fleet) as stores:
        keeper.begin("back", terms("month"))
        keep(keeper, "back", range(20))
        for store in stores:
            await until(lambda store=store: has(store, "back", 20))
        await fleet.servers[MIRROR].kill()
        keep(keeper, "back", range(20, 40))
        await until(lambda: has(stores[0], "back", 40))
        assert len(keeper.senders[MIRROR].outbox) > 0
        receipt = await delete(stores, "back", wait_s=0)
        assert [one.verified for one in receipt.places] == [True, False]
        await until(lambda: is_true(not len(keeper.senders[MIRROR].outbox)))
        assert keeper.keep("back", TRANSCRIPTS, b"more", part="more") == ()
        await fleet.start_leaf(MIRROR, MIRROR, f"leaf-{MIRROR}")
        await until(lambda: is_true(keeper.senders[MIRROR].connected))
        again = await delete(stores, "back", wait_s=60)
        assert [(one.before, one.after) for one in again.places] == [(0, 0), (20, 0)]


async def test_what_is_kept_for_a_time_goes_by_itself(fleet: NatsFleet, tmp_path: Path) -> None:
    """And what is not kept beyond its session goes with that."""
    async with keeping(fleet, tmp_path) as keeper, custodians(fleet) as stores:
        keeper.begin("passing", terms("passing"))
        keep(keeper, "passing", range(40))
        for store in stores:
            await until(lambda store=store: has(store, "passing", 40))
        keeper.over("passing")
        writer = await fleet.writer(HOME, "c-1", HOME)
        for part, for_s in enumerate((1, 1000)):
            said = subjects.kept(HOME, "c-1", "timed", TRANSCRIPTS)
            await writer.keep(said, b"%d" % part, f"timed-{part}", for_s=for_s)
        await until(lambda: has(stores[0], "timed", 1))
        assert await parts_in(stores[0], "timed") == [1]
        for store in stores:
            await until(lambda store=store: has(store, "passing", 0))
        assert list((tmp_path / "passing").iterdir()) == []


async def test_a_key_that_no_store_knows_keeps_nothing_and_holds_nobody_up(
    fleet: NatsFleet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ensure_seed(fleet.seed_file("nobody"))
    async with keeping(fleet, tmp_path, "nobody") as keeper, custodians(fleet) as stores:
        keeper.begin("strange", terms("month"))
        keep(keeper, "strange", range(5))
        await until(lambda: is_true("does not know the key" in caplog.text))
        keep(keeper, "strange", range(5, 10))
        assert {place: len(one.outbox) for place, one in keeper.senders.items()} == {
            HOME: 10,
            MIRROR: 10,
        }
        assert [await store.pieces("strange") for store in stores] == [0, 0]


async def test_a_full_store_refuses_and_is_filled_once_it_has_room(
    fleet: NatsFleet, tmp_path: Path
) -> None:
    """Last: what was there stays, and the other place has everything meanwhile."""
    async with keeping(fleet, tmp_path) as keeper, custodians(fleet) as (home, mirror):
        await home.bus.purge(CONTENT_STREAM, "hv.>")
        await home.bus.ensure_stream(content_stream(20_000))
        keeper.begin("much", terms("month"))
        keep(keeper, "much", range(200), bytes(500))
        await until(lambda: has(mirror, "much", 200))
        assert await home.pieces("much") < 50
        assert len(keeper.senders[HOME].outbox) > 150
        await home.bus.ensure_stream(content_stream(STORE_BYTES))
        await until(lambda: has(home, "much", 200))
        assert not keeper.lost
