"""Deletion is called done only where a store said so; the rest is named, and tried again."""

import asyncio
from collections.abc import Mapping

import msgspec
import pytest

from shared import subjects
from shared.bus.memory import MemoryBus
from shared.content.custody import StoreAddress, delete, look, read_addresses, words_of
from shared.content.records import Deletion, KeptFinal
from shared.content.stores import Store
from shared.content.stream import content_stream
from shared.errors import BusFailed, InvalidMessage
from tests.support.virtual_time import run_virtually
from tests.unit.edge_node.keeping.stage import LoopClock
from tests.unit.shared.content.test_contents import final

SUBJECT = subjects.kept("r-1", "n", "s", "transcripts")
OTHER = subjects.kept("r-1", "n", "s2", "transcripts")


class Breaking(MemoryBus):
    """A store that fails as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: set[str] = set()
        self.lies = False

    async def count(self, stream: str, subject: str = ">") -> Mapping[str, int]:
        self._fail("count")
        return await super().count(stream, subject)

    async def erase(self, stream: str, sequence: int) -> None:
        self._fail("erase")
        if not self.lies:
            await super().erase(stream, sequence)

    async def purge(self, stream: str, subject: str) -> int:
        self._fail("purge")
        return 0 if self.lies else await super().purge(stream, subject)

    def _fail(self, what: str) -> None:
        if what in self.broken:
            raise BusFailed(f"{what} fails")


async def stores(*pieces: int) -> list[Store]:
    """With so many finals of session `s` in each, and one of another."""
    made = []
    for number, count in enumerate(pieces):
        bus = Breaking()
        await bus.ensure_stream(content_stream(1 << 20))
        for seq in range(1, count + 1):
            data = msgspec.json.encode(final(seq, seq))
            await bus.keep(SUBJECT, data, f"{seq}", for_s=99)
        await bus.keep(OTHER, msgspec.json.encode(final(1)), "other", for_s=99)
        made.append(Store(f"r-{number + 1}", bus))
    return made


def breaking(store: Store) -> Breaking:
    assert isinstance(store.bus, Breaking)
    return store.bus


def test_a_deletion_says_what_was_there_and_that_nothing_is_left() -> None:
    async def scene() -> None:
        places = await stores(3, 2, 0)
        receipt = await delete(places, "s", at_ms=7, wait_s=0, clock=LoopClock())
        assert receipt.verified
        found = [(one.region, one.before, one.after) for one in receipt.places]
        assert found == [("r-1", 3, 0), ("r-2", 2, 0), ("r-3", 0, 0)]
        for place in places:
            assert await place.pieces("s") == 0
            assert await place.pieces("s2") == 1
            assert await place.receipt("s") == receipt
        assert (await words_of(places, "s")).deleted == receipt

    run_virtually(scene())


@pytest.mark.parametrize("broken", ["count", "erase", "purge"])
def test_a_store_that_fails_is_not_verified_and_the_others_are_emptied(broken: str) -> None:
    async def scene() -> None:
        places = await stores(3, 3)
        breaking(places[1]).broken.add(broken)
        receipt = await delete(places, "s", at_ms=7, wait_s=5, clock=LoopClock())
        assert not receipt.verified
        assert [one.verified for one in receipt.places] == [True, False]
        assert receipt.places[1].why == f"{broken} fails"
        assert receipt.places[1].after is None
        breaking(places[1]).broken.clear()
        again = await delete(places, "s", at_ms=8, wait_s=0, clock=LoopClock())
        assert again.verified
        assert await places[1].receipt("s") == again

    run_virtually(scene())


def test_a_store_that_only_says_that_it_deletes_is_not_believed() -> None:
    """It is asked how many are left, and that number stands in the receipt."""

    async def scene() -> None:
        places = await stores(3)
        breaking(places[0]).lies = True
        receipt = await delete(places, "s", at_ms=7, wait_s=0, clock=LoopClock())
        assert (receipt.verified, receipt.places[0].after) == (False, 3)

    run_virtually(scene())


def test_a_store_that_comes_back_in_time_is_emptied_too() -> None:
    async def scene() -> None:
        places = await stores(3, 3)
        breaking(places[1]).cut()
        loop = asyncio.get_running_loop()
        loop.call_later(10, breaking(places[1]).mend)
        receipt = await delete(places, "s", at_ms=7, wait_s=30, clock=LoopClock())
        assert receipt.verified
        assert loop.time() < 15
        assert [one.before for one in receipt.places] == [3, 3]

    run_virtually(scene())


def test_what_was_found_first_counts_as_what_was_there() -> None:
    """A store that answers, deletes, and then does not say what is left."""

    async def scene() -> None:
        places = await stores(3)
        breaking(places[0]).broken.add("purge")
        loop = asyncio.get_running_loop()
        loop.call_later(3, breaking(places[0]).broken.clear)
        receipt = await delete(places, "s", at_ms=7, wait_s=30, clock=LoopClock())
        assert (receipt.places[0].before, receipt.places[0].after) == (3, 0)

    run_virtually(scene())


def test_a_session_of_which_nothing_is_kept_is_no_error() -> None:
    async def scene() -> None:
        receipt = await delete(await stores(0), "s", at_ms=7, wait_s=0, clock=LoopClock())
        assert receipt.verified
        assert receipt.places[0].before == 0

    run_virtually(scene())


def test_a_full_store_can_be_deleted_from() -> None:
    async def scene() -> None:
        bus = Breaking()
        await bus.ensure_stream(content_stream(500))
        for seq in range(3):
            await bus.keep(SUBJECT, bytes(120), str(seq), for_s=9)
        with pytest.raises(BusFailed):
            await bus.keep(SUBJECT, bytes(120), "more", for_s=9)
        receipt = await delete([Store("r", bus)], "s", at_ms=7, wait_s=0, clock=LoopClock())
        assert receipt.verified

    run_virtually(scene())


def test_looking_tells_who_does_not_answer_apart_from_who_has_nothing() -> None:
    async def scene() -> None:
        places = await stores(2, 1, 0)
        breaking(places[1]).cut()
        sessions, away = await look(places)
        found = {one.session: one.pieces for one in sessions}
        assert found == {"s": {"r-1": 2}, "s2": {"r-1": 1, "r-3": 1}}
        assert set(away) == {"r-2"}
        words = await words_of(places, "s")
        assert ([one.seq for one in words.finals], set(words.away)) == ([1, 2], {"r-2"})

    run_virtually(scene())


def test_what_cannot_be_read_is_named_and_hides_nothing_else() -> None:
    async def scene() -> None:
        places = await stores(2, 2)
        for at, bad in enumerate((b"{", b"\xff", b"")):
            await places[0].bus.keep(SUBJECT, bad, f"bad{at}", for_s=9)
        words = await words_of(places, "s")
        assert [one.seq for one in words.finals] == [1, 2]
        assert words.damaged == (("r-1", 4), ("r-1", 5))

    run_virtually(scene())


def test_receipts_hold_nothing_of_what_was_said() -> None:
    names = {field.name for field in msgspec.structs.fields(Deletion)}
    assert names == {"session", "at_ms", "verified", "places"}
    assert not names & {"text", "caller", *(f.name for f in msgspec.structs.fields(KeptFinal))} - {
        "session",
        "at_ms",
    }


@pytest.mark.parametrize(
    "text",
    [b"", b"{}", b"[]", b'[{"region": "a"}]', b"\xff",
     b'[{"region":"a","url":"u","seed_file":"s"},{"region":"a","url":"u","seed_file":"s"}]'],
)  # fmt: skip
def test_a_file_of_stores_that_is_none_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidMessage) as refused:
        read_addresses(text)
    assert refused.value.field == "stores"


def test_a_file_of_stores() -> None:
    text = b'[{"region":"eu-west","url":"nats://h:1","seed_file":"/s"}]'
    assert read_addresses(text) == (StoreAddress("eu-west", "nats://h:1", "/s"),)
    assert read_addresses(text)[0].name == "custodian-eu-west"
