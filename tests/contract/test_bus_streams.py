"""What every bus promises of its streams, asked of each in the same words."""

import asyncio

import pytest

from shared.bus import Bus, Source, Stream
from shared.errors import BusFailed
from tests.contract.buses import MIB, Heard, following, fresh

pytestmark = pytest.mark.anyio


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
    assert [int(one.data) async for one in bus.read_now(name, 590)] == list(range(590, 600))


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
