"""What every bus promises, asked of each in the same words."""

import asyncio

import pytest

from shared.bus import Bucket, Bus, Stream
from shared.errors import BusFailed
from tests.contract.buses import MIB, WAIT_S, Exchange, Heard, following, fresh, settled, values

pytestmark = pytest.mark.anyio


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
