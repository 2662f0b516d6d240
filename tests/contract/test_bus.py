"""What every bus promises, asked of each in the same words."""

import asyncio
from itertools import count

import pytest

from shared.bus import Bucket, Bus, Source, Stream
from shared.errors import BusFailed
from tests.contract.buses import WAIT_S, Exchange, Heard, following, settled, values

pytestmark = pytest.mark.anyio
MIB = 1 << 20
NUMBERS = count()


def fresh(name: str) -> str:
    """A name that no other test used on the same server."""
    return f"{name}{next(NUMBERS)}"


@pytest.fixture
async def bus(exchange: Exchange) -> Bus:
    return await exchange.connect()


@pytest.fixture
async def other(exchange: Exchange) -> Bus:
    return await exchange.connect()


async def test_who_listens_hears_in_order(bus: Bus, other: Bus) -> None:
    heard = Heard()
    await other.subscribe("t.a", heard)
    for number in range(300):
        await bus.publish("t.a", str(number).encode())
    assert [int(data) for _, data in await heard.wait(300)] == list(range(300))


async def test_patterns_hear_what_they_stand_for(bus: Bus) -> None:
    one, rest, exact = Heard(), Heard(), Heard()
    await bus.subscribe("w.*.report", one)
    await bus.subscribe("w.>", rest)
    await bus.subscribe("w.x.report", exact)
    for subject in ("w.x.report", "w.y.report", "w.x.other", "w.x.report.more", "v.x.report"):
        await bus.publish(subject, b"")
    await rest.wait(4)
    await settled(bus)
    assert [subject for subject, _ in one.all] == ["w.x.report", "w.y.report"]
    assert [subject for subject, _ in exact.all] == ["w.x.report"]
    assert len(rest.all) == 4


async def test_of_a_queue_one_hears(bus: Bus, other: Bus) -> None:
    mine, yours, all_of_it = Heard(), Heard(), Heard()
    await bus.subscribe("q.a", mine, queue="workers")
    await other.subscribe("q.a", yours, queue="workers")
    await other.subscribe("q.a", all_of_it)
    for _ in range(100):
        await bus.publish("q.a", b"")
    await all_of_it.wait(100)
    await settled(other)
    await settled(bus)
    assert len(mine.all) + len(yours.all) == 100
    assert mine.all
    assert yours.all


async def test_who_asks_is_answered(bus: Bus, other: Bus) -> None:
    async def double(subject: str, data: bytes) -> bytes:
        return data + subject.encode() + data

    await other.subscribe("r.*", double)
    answers = await asyncio.gather(
        *(bus.request("r.a", str(number).encode(), WAIT_S) for number in range(50))
    )
    assert answers == [f"{number}r.a{number}".encode() for number in range(50)]


async def test_an_empty_answer_is_an_answer(bus: Bus) -> None:
    await bus.subscribe("r.e", Heard(b""))
    assert await bus.request("r.e", b"", WAIT_S) == b""


async def test_nobody_there_is_known_at_once(bus: Bus) -> None:
    with pytest.raises(BusFailed, match="nobody"):
        await bus.request("r.nobody", b"", 3600)


async def test_no_answer_is_a_failure_in_time(bus: Bus) -> None:
    await bus.subscribe("r.silent", Heard(None))
    with pytest.raises(BusFailed, match="no answer"):
        await bus.request("r.silent", b"", 0.05)


async def test_a_handler_that_fails_tells_the_asker_and_goes_on(
    bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    async def picky(_: str, data: bytes) -> bytes:
        return str(1 / int(data)).encode()

    await bus.subscribe("r.picky", picky)
    with pytest.raises(BusFailed, match="failed"):
        await bus.request("r.picky", b"0", 3600)
    assert await bus.request("r.picky", b"1", WAIT_S) == b"1.0"
    assert "ZeroDivisionError" in caplog.text


async def test_handlers_work_side_by_side_as_far_as_they_may(bus: Bus) -> None:
    together, most, free = 0, 0, asyncio.Event()
    full = asyncio.Event()

    async def slow(_: str, __: bytes) -> bytes:
        nonlocal together, most
        together += 1
        most = max(most, together)
        if together == 3:
            full.set()
        await free.wait()
        together -= 1
        return b""

    await bus.subscribe("r.slow", slow, at_once=3)
    asked = [
        asyncio.get_running_loop().create_task(bus.request("r.slow", b"", WAIT_S)) for _ in range(9)
    ]
    async with asyncio.timeout(WAIT_S):
        await full.wait()
    await settled(bus)
    assert together == 3
    free.set()
    await asyncio.gather(*asked)
    assert most == 3


async def test_one_at_a_time_is_in_order(bus: Bus) -> None:
    seen: list[bytes] = []
    done = asyncio.Event()

    async def wavering(_: str, data: bytes) -> None:
        for _ in range(int(data) % 3):
            await asyncio.sleep(0)
        seen.append(data)
        if len(seen) == 50:
            done.set()

    await bus.subscribe("o.a", wavering, at_once=1)
    for number in range(50):
        await bus.publish("o.a", str(number).encode())
    async with asyncio.timeout(WAIT_S):
        await done.wait()
    assert [int(data) for data in seen] == list(range(50))


async def test_a_backlog_is_bounded_and_says_what_it_dropped(bus: Bus) -> None:
    free, begun = asyncio.Event(), asyncio.Event()
    seen: list[bytes] = []

    async def stuck(_: str, data: bytes) -> None:
        begun.set()
        await free.wait()
        seen.append(data)

    await bus.subscribe("b.a", stuck, at_once=1, backlog=5)
    await bus.publish("b.a", b"0")
    async with asyncio.timeout(WAIT_S):
        await begun.wait()
    for number in range(1, 21):
        await bus.publish("b.a", str(number).encode())
    await settled(bus)
    assert bus.dropped == 15
    free.set()
    await bus.close()
    assert [int(data) for data in seen] == [0, 1, 2, 3, 4, 5]


async def test_an_ended_subscription_hears_no_more(bus: Bus) -> None:
    ended, going = Heard(), Heard()
    subscription = await bus.subscribe("e.a", ended)
    await bus.subscribe("e.a", going)
    await bus.publish("e.a", b"1")
    await ended.wait(1)
    await subscription.end()
    await subscription.end()
    await bus.publish("e.a", b"2")
    await going.wait(2)
    assert len(ended.all) == 1


async def test_what_is_too_big_is_refused(bus: Bus) -> None:
    with pytest.raises(BusFailed, match="bytes"):
        await bus.publish("t.big", b"x" * (MIB + 1))


@pytest.mark.parametrize("bad", ["", "a b", "a..b", "a.*", "a.>"])
async def test_what_is_no_subject_is_refused(bus: Bus, bad: str) -> None:
    with pytest.raises(ValueError, match=r"subject|pattern"):
        await bus.publish(bad, b"")


async def test_a_stream_keeps_each_id_once(bus: Bus) -> None:
    name = fresh("KEEP")
    await bus.ensure_stream(Stream(name, MIB, (f"k.{name}.*",)))
    first = await bus.keep(f"k.{name}.a", b"1", "one")
    assert await bus.keep(f"k.{name}.a", b"1", "one") == first
    second = await bus.keep(f"k.{name}.b", b"2", "two")
    assert second > first
    async with following(bus.read(name)) as following_one:
        kept = [await following_one(), await following_one()]
    assert [(one.sequence, one.subject, one.data) for one in kept] == [
        (first, f"k.{name}.a", b"1"),
        (second, f"k.{name}.b", b"2"),
    ]


async def test_what_no_stream_keeps_is_known_at_once(bus: Bus) -> None:
    with pytest.raises(BusFailed, match="no stream"):
        await bus.keep("k.nobody", b"", "id", timeout_s=3600)


async def test_what_is_kept_is_heard_as_well(bus: Bus, other: Bus) -> None:
    name, heard = fresh("LIVE"), Heard()
    await bus.ensure_stream(Stream(name, MIB, (f"k.{name}",)))
    await other.subscribe(f"k.{name}", heard)
    await bus.keep(f"k.{name}", b"1", "one")
    assert await heard.wait(1) == [(f"k.{name}", b"1")]


async def test_ensuring_again_changes_the_stream_and_keeps_what_is_in_it(bus: Bus) -> None:
    name = fresh("AGAIN")
    for subjects in ((f"k.{name}.a",), (f"k.{name}.a",), (f"k.{name}.a", f"k.{name}.b")):
        await bus.ensure_stream(Stream(name, MIB, subjects))
        await bus.keep(f"k.{name}.a", b"", f"{subjects}")
    assert await bus.keep(f"k.{name}.b", b"2", "b") == 3
    assert await bus.last(name, f"k.{name}.b") is not None


async def test_several_may_ensure_at_once(bus: Bus, other: Bus) -> None:
    name = fresh("BOTH")
    stream = Stream(name, MIB, (f"k.{name}",))
    await asyncio.gather(*(who.ensure_stream(stream) for who in (bus, other) * 5))
    assert await other.keep(f"k.{name}", b"", "1") == 1


async def test_the_last_of_a_subject(bus: Bus) -> None:
    name = fresh("LAST")
    await bus.ensure_stream(Stream(name, MIB, (f"k.{name}.*",)))
    assert await bus.last(name, f"k.{name}.a") is None
    for subject, data in (("a", b"1"), ("b", b"2"), ("a", b"3"), ("a", b"")):
        await bus.keep(f"k.{name}.{subject}", data, f"{subject}{data!r}")
    last = await bus.last(name, f"k.{name}.a")
    assert last is not None
    assert (last.sequence, last.subject, last.data) == (4, f"k.{name}.a", b"")
    with pytest.raises(BusFailed):
        await bus.last("NOWHERE", "k.a")


async def test_of_each_subject_as_many_as_were_asked_for(bus: Bus) -> None:
    name = fresh("FEW")
    await bus.ensure_stream(Stream(name, MIB, (f"k.{name}.*",), per_subject=2))
    for number in range(4):
        await bus.keep(f"k.{name}.a", str(number).encode(), str(number))
    async with following(bus.read(name)) as following_one:
        assert [(await following_one()).data for _ in range(2)] == [b"2", b"3"]


async def test_reading_begins_where_asked_and_goes_on(bus: Bus, other: Bus) -> None:
    name = fresh("READ")
    await bus.ensure_stream(Stream(name, MIB, (f"k.{name}.*",)))
    for number in range(1, 601):
        await bus.publish(f"k.{name}.{'ab'[number % 2]}", str(number).encode())
    await bus.keep(f"k.{name}.a", b"601", "601")
    async with following(other.read(name, 10)) as following_one:
        got = [int((await following_one()).data) for _ in range(591)]
        assert got == list(range(11, 602))
        await bus.keep(f"k.{name}.a", b"602", "602")
        assert (await following_one()).data == b"602"
    async with following(other.read(name, subject=f"k.{name}.b")) as following_one:
        assert [int((await following_one()).data) for _ in range(3)] == [1, 3, 5]


async def test_reading_what_is_there_now_ends(bus: Bus, other: Bus) -> None:
    name = fresh("NOW")
    await bus.ensure_stream(Stream(name, MIB, (f"k.{name}.*",)))
    assert [one async for one in other.read(name, follow=False)] == []
    for number in range(1, 601):
        await bus.publish(f"k.{name}.{'ab'[number % 2]}", str(number).encode())
    await bus.keep(f"k.{name}.a", b"601", "601")
    got = [int(one.data) async for one in other.read(name, 10, follow=False)]
    assert got == list(range(11, 602))
    odd = [int(one.data) async for one in other.read(name, subject=f"k.{name}.b", follow=False)]
    assert odd == list(range(1, 600, 2))


async def test_reading_what_is_not_there_fails(bus: Bus) -> None:
    async with following(bus.read("NOWHERE")) as following_one:
        with pytest.raises(BusFailed):
            await following_one()


async def test_a_stream_copies_from_others(bus: Bus) -> None:
    sources = [fresh("SOURCE"), fresh("SOURCE")]
    for source in sources:
        await bus.ensure_stream(Stream(source, MIB, (f"k.{source}",)))
    copy = fresh("COPY")
    await bus.keep(f"k.{sources[0]}", b"before", "0")
    stream = Stream(copy, MIB, sources=tuple(Source(source) for source in sources))
    await bus.ensure_stream(stream)
    await bus.ensure_stream(stream)
    await bus.keep(f"k.{sources[1]}", b"after", "1")
    async with following(bus.read(copy)) as following_one:
        got = {(one.subject, one.data) for one in (await following_one(), await following_one())}
    assert got == {(f"k.{sources[0]}", b"before"), (f"k.{sources[1]}", b"after")}


async def test_a_bucket_holds_values(bus: Bus, other: Bus) -> None:
    name = fresh("BUCKET")
    await bus.ensure_bucket(Bucket(name, MIB))
    await bus.ensure_bucket(Bucket(name, MIB))
    mine, yours = bus.kv(name), other.kv(name)
    assert await mine.get("a") is None
    assert await mine.keys() == ()
    first = await mine.put("a", b"1")
    entry = await yours.get("a")
    assert entry is not None
    assert (entry.key, entry.value, entry.revision) == ("a", b"1", first)
    assert await mine.put("a", b"2") > first
    await mine.put("b.c", b"")
    assert await yours.keys() == ("a", "b.c")
    empty = await yours.get("b.c")
    assert empty is not None
    assert empty.value == b""
    await yours.delete("a")
    await yours.delete("never")
    assert await mine.get("a") is None
    assert await mine.keys() == ("b.c",)


async def test_of_several_who_create_one_succeeds(bus: Bus, other: Bus) -> None:
    name = fresh("CREATE")
    await bus.ensure_bucket(Bucket(name, MIB))
    tries = [who.kv(name).create("a", str(at).encode()) for at, who in enumerate([bus, other] * 4)]
    revisions = await asyncio.gather(*tries)
    (won,) = [at for at, revision in enumerate(revisions) if revision is not None]
    entry = await bus.kv(name).get("a")
    assert entry is not None
    assert entry.value == str(won).encode()
    await bus.kv(name).delete("a")
    assert await other.kv(name).create("a", b"again") is not None


async def test_an_update_needs_the_latest_revision(bus: Bus) -> None:
    name = fresh("UPDATE")
    await bus.ensure_bucket(Bucket(name, MIB))
    kv = bus.kv(name)
    first = await kv.put("a", b"1")
    second = await kv.update("a", b"2", first)
    assert second is not None
    assert await kv.update("a", b"3", first) is None
    entry = await kv.get("a")
    assert entry is not None
    assert (entry.value, entry.revision) == (b"2", second)


async def test_watching_gives_what_is_there_and_then_what_changes(bus: Bus, other: Bus) -> None:
    name = fresh("WATCH")
    await bus.ensure_bucket(Bucket(name, MIB))
    kv = bus.kv(name)
    for key, value in (("a", b"1"), ("b.x", b"2"), ("a", b"3")):
        await kv.put(key, value)
    async with following(other.kv(name).watch()) as following_one:
        there = [await following_one() for _ in range(3)]
        assert values(there) == [("b.x", b"2"), ("a", b"3"), None]
        await kv.put("a", b"4")
        await kv.delete("b.x")
        await kv.put("c", b"")
        changes = [await following_one() for _ in range(3)]
        assert values(changes) == [("a", b"4"), ("b.x", None), ("c", b"")]
    async with following(other.kv(name).watch("b.*")) as following_one:
        assert values([await following_one(), await following_one()]) == [("b.x", None), None]


async def test_an_empty_bucket_says_so_to_who_watches(bus: Bus) -> None:
    name = fresh("EMPTY")
    await bus.ensure_bucket(Bucket(name, MIB))
    async with following(bus.kv(name).watch()) as following_one:
        assert await following_one() is None
        await bus.kv(name).put("a", b"1")
        assert values([await following_one()]) == [("a", b"1")]


async def test_a_bucket_that_was_never_made_fails(bus: Bus) -> None:
    kv = bus.kv("NEVER")
    with pytest.raises(BusFailed):
        await kv.get("a")
    with pytest.raises(BusFailed):
        await kv.put("a", b"")
    async with following(kv.watch()) as following_one:
        with pytest.raises(BusFailed):
            await following_one()


async def test_without_the_server_everything_that_asks_fails_at_once(
    bus: Bus, exchange: Exchange
) -> None:
    name, asked = fresh("AWAY"), Heard(None)
    await bus.ensure_bucket(Bucket(name, MIB))
    await bus.subscribe("away.silent", asked)
    waiting = asyncio.get_running_loop().create_task(bus.request("away.silent", b"", 3600))
    await asked.wait(1)
    bus.check()
    await exchange.cut()
    with pytest.raises(BusFailed):
        await waiting
    assert not bus.connected
    with pytest.raises(BusFailed):
        bus.check()
    with pytest.raises(BusFailed):
        await bus.request("away.silent", b"", 3600)
    with pytest.raises(BusFailed):
        await bus.keep("k.away", b"", "1", timeout_s=3600)
    with pytest.raises(BusFailed):
        await bus.kv(name).get("a")
    await exchange.mend()


async def test_the_server_back_everything_goes_on(bus: Bus, exchange: Exchange) -> None:
    """Listening, watching, reading; and what was published meanwhile is sent."""
    name, heard = fresh("BACK"), Heard()
    await bus.ensure_stream(Stream(name, MIB, (f"back.{name}.kept",)))
    await bus.ensure_bucket(Bucket(name, MIB))
    await bus.subscribe(f"back.{name}.>", heard)
    async with following(bus.kv(name).watch()) as change, following(bus.read(name)) as stored:
        assert await change() is None
        await bus.keep(f"back.{name}.kept", b"1", "1")
        assert (await stored()).data == b"1"
        await heard.wait(1)
        await exchange.cut()
        await bus.publish(f"back.{name}.held", b"2")
        await exchange.mend()
        assert (await heard.wait(2))[1] == (f"back.{name}.held", b"2")
        await bus.kv(name).put("a", b"1")
        assert values([await change()]) == [("a", b"1")]
        await bus.keep(f"back.{name}.kept", b"3", "3")
        assert (await stored()).data == b"3"


async def test_what_is_held_back_is_bounded(bus: Bus, exchange: Exchange) -> None:
    await exchange.cut()
    for _ in range(20):
        await bus.publish("held.a", bytes(10_000))
    with pytest.raises(BusFailed):
        await asyncio.gather(*(bus.publish("held.a", bytes(10_000)) for _ in range(1000)))
    await exchange.mend()


async def test_closing_lets_handlers_end_and_then_nothing_works(bus: Bus, other: Bus) -> None:
    free = asyncio.Event()
    begun = asyncio.Event()

    async def slow(_: str, data: bytes) -> bytes:
        begun.set()
        await free.wait()
        return data

    await bus.subscribe("c.a", slow)
    asked = asyncio.get_running_loop().create_task(other.request("c.a", b"x", WAIT_S))
    async with asyncio.timeout(WAIT_S):
        await begun.wait()
    closing = asyncio.get_running_loop().create_task(bus.close())
    free.set()
    assert await asked == b"x"
    await closing
    await bus.close()
    assert not bus.connected
    for broken in (
        bus.publish("c.a", b""),
        bus.request("c.a", b"", 3600),
        bus.subscribe("c", slow),
    ):
        with pytest.raises(BusFailed):
            await broken
    with pytest.raises(BusFailed, match="nobody"):
        await other.request("c.a", b"", 3600)


async def test_closing_ends_who_watches_and_reads(bus: Bus) -> None:
    name = fresh("CLOSING")
    await bus.ensure_bucket(Bucket(name, MIB))
    async with following(bus.kv(name).watch()) as change:
        assert await change() is None
        waiting = asyncio.get_running_loop().create_task(change())
        await settled(bus)
        await bus.close()
        with pytest.raises(BusFailed):
            await waiting


async def test_a_stream_that_refuses_keeps_what_it_has(bus: Bus) -> None:
    name = fresh("FULL")
    await bus.ensure_stream(Stream(name, 4096, (f"{name}.*",), refuses_when_full=True))
    first = await bus.keep(f"{name}.a", b"x" * 2000, "1")
    with pytest.raises(BusFailed):
        await bus.keep(f"{name}.b", b"x" * 4000, "2")
    assert [one.sequence async for one in bus.read_now(name)] == [first]


async def test_reading_what_is_there_ends(bus: Bus) -> None:
    name = fresh("NOW")
    await bus.ensure_stream(Stream(name, MIB, (f"{name}.>",)))
    assert [one async for one in bus.read_now(name)] == []
    for number in range(600):
        await bus.keep(f"{name}.{number % 2}.x", str(number).encode(), str(number))
    read = [one async for one in bus.read_now(name, subject=f"{name}.1.>")]
    assert [int(one.data) for one in read] == list(range(1, 600, 2))


async def test_a_message_takes_the_place_of_those_before_it(bus: Bus) -> None:
    name = fresh("OVER")
    stream = Stream(name, MIB, (f"{name}.>",), each_has_its_time=True)
    await bus.ensure_stream(stream)
    for number in range(3):
        await bus.keep(f"{name}.mine", b"x", f"m{number}", for_s=1000)
        await bus.keep(f"{name}.yours", b"x", f"y{number}", for_s=1000)
    await bus.keep(f"{name}.mine", b"", "end", for_s=1000, replaces=True)
    assert await bus.count(name) == {f"{name}.mine": 1, f"{name}.yours": 3}
    assert await bus.count(name, f"{name}.mine") == {f"{name}.mine": 1}
    assert await bus.count(name, "none.>") == {}


async def test_what_is_erased_or_purged_is_gone(bus: Bus) -> None:
    name = fresh("GONE")
    await bus.ensure_stream(Stream(name, MIB, (f"{name}.>",)))
    kept = [await bus.keep(f"{name}.{n % 2}", b"x", f"{n}") for n in range(10)]
    for _ in range(2):
        await bus.erase(name, kept[0])
    await bus.erase(name, kept[-1] + 1000)
    assert await bus.count(name) == {f"{name}.0": 4, f"{name}.1": 5}
    assert await bus.purge(name, f"{name}.0") == 4
    assert await bus.purge(name, f"{name}.0") == 0
    assert await bus.count(name) == {f"{name}.1": 5}
    for call in (bus.count, lambda gone: bus.purge(gone, ">"), lambda gone: bus.erase(gone, 1)):
        with pytest.raises(BusFailed):
            await call("NEVER_MADE")


async def test_nothing_is_kept_for_no_time(bus: Bus) -> None:
    name = fresh("TIME")
    await bus.ensure_stream(Stream(name, MIB, (f"{name}.>",), each_has_its_time=True))
    with pytest.raises(ValueError, match="for_s=0"):
        await bus.keep(f"{name}.a", b"x", "1", for_s=0)
