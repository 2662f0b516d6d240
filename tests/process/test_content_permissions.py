"""Who may keep, read and delete content, asked of real servers: a hub and two leaves."""

from collections.abc import AsyncIterator

import pytest

from shared import subjects
from shared.bus import Stream
from shared.errors import BusFailed, BusRefused
from shared.nats_permissions import ALL_CONTENT
from shared.subjects import CONTENT_STREAM
from tests.contract.buses import Heard
from tests.support.everybody import HERE, THERE, Everybody, denied, everybody, reach
from tests.support.nats_fleet import MIB, until

pytestmark = [pytest.mark.process, pytest.mark.anyio]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def all_(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Everybody]:
    async with everybody(tmp_path_factory.mktemp("fleet")) as connected:
        yield connected


async def test_content_stays_where_it_is_kept(all_: Everybody) -> None:
    """Also from subscribers whom no permission holds back: they are in the other account."""
    said, mark = subjects.kept(HERE, "c-1", "s-1", "transcripts"), b"never-seen-outside"
    ear, far_ear = Heard(), Heard()
    looking = {at: Heard() for at in all_.masters}
    await (await all_.fleet.connect(f"ear-{HERE}", HERE)).subscribe("hv.content.>", ear)
    await (await all_.fleet.connect(f"ear-{THERE}", THERE)).subscribe("hv.content.>", far_ear)
    listening = [await all_.masters[at].subscribe(">", heard) for at, heard in looking.items()]
    operators = {at: Heard() for at in ("centre", HERE, THERE)}
    for at, heard in operators.items():
        operator = await all_.fleet.connect("operator", at)
        await operator.subscribe("hv.>", heard)
    for number in range(20):
        await all_.writer.keep(said, mark + str(number).encode(), f"s-1-{number}", for_s=1000)
    await ear.wait(20)
    # behind it, on the same ways: a report up to the centre, and news down to the other region
    await reach(all_.node, subjects.report(HERE, "c-1"), looking["centre"])
    await reach(all_.node, subjects.report(HERE, "c-1"), looking[HERE])
    await reach(all_.plane, subjects.NEWS, looking[THERE])
    await reach(all_.plane, subjects.NEWS, operators[THERE])
    elsewhere = [*looking.values(), far_ear, *operators.values()]
    heard = {subject for one in elsewhere for subject, _ in one.all}
    assert {subject for subject in heard if subject.startswith("hv.content")} == set()
    assert subjects.report(HERE, "c-1").encode() in all_.fleet.links[HERE].passed
    for link in all_.fleet.links.values():
        assert mark not in link.passed
        assert b"hv.content.eu-central.c-1" not in link.passed
    for one in listening:
        await one.end()


async def test_a_stolen_key_of_the_centre_captures_no_content(all_: Everybody) -> None:
    """It makes a stream for content on the region's own server, and nothing ever comes into it."""
    trap = Stream("TRAP", MIB, (ALL_CONTENT,), domain=HERE)
    await all_.plane.ensure_stream(trap)
    said = subjects.kept(HERE, "c-1", "s-2", "transcripts")
    await all_.writer.keep(said, b"spoken", "s-2-1", for_s=1000)
    assert await all_.plane.last("TRAP", said, HERE) is None
    assert await all_.custodian.count(CONTENT_STREAM, said) == {said: 1}
    # what it does find there is what the other account holds: the control is not blind
    await all_.masters[HERE].publish(subjects.content(HERE, "c-1", "x"), b"in the other account")

    async def is_caught() -> bool:
        return await all_.plane.last("TRAP", subjects.content(HERE, "c-1", "x"), HERE) is not None

    await until(is_caught)
    for call in (all_.plane.count, lambda store: all_.plane.purge(store, ">")):
        with pytest.raises(BusFailed):
            await call(CONTENT_STREAM)
    with pytest.raises(BusFailed):
        [one async for one in all_.plane.read(CONTENT_STREAM, domain=HERE)]


@pytest.mark.parametrize(
    "subject",
    [
        subjects.content(HERE, "c-2", "s-1.transcripts"),
        subjects.content(THERE, "w-1", "s-1.transcripts"),
        subjects.report(HERE, "c-1"),
        subjects.deleted("s-1"),
        subjects.forget("s-1"),
        "$JS.API.STREAM.PURGE.CONTENT",
        "$JS.API.STREAM.INFO.CONTENT",
        "$JS.API.STREAM.CREATE.CONTENT",
        "$JS.API.STREAM.MSG.DELETE.CONTENT",
        "$JS.API.CONSUMER.CREATE.CONTENT.x.hv",
        "$JS.API.DIRECT.GET.CONTENT",
        f"_INBOX.keys-{HERE}.x",
    ],
)
async def test_who_keeps_content_may_not_say(all_: Everybody, subject: str) -> None:
    for writer in (all_.writer, all_.abroad):
        await denied(writer, subject)


@pytest.mark.parametrize(
    "pattern",
    [
        ">",
        "hv.>",
        "hv.content.>",
        subjects.content(HERE, "c-1", ">"),
        subjects.report(HERE, "c-1"),
        "_INBOX.>",
        f"_INBOX.keys-{HERE}.>",
        "_INBOX_NODE.eu-central.c-2.>",
        "$JS.>",
    ],
)
async def test_who_keeps_content_may_not_hear(all_: Everybody, pattern: str) -> None:
    """Not even what it said itself: abroad it puts in, and takes nothing out."""
    for writer in (all_.writer, all_.abroad):
        with pytest.raises(BusRefused):
            await writer.subscribe(pattern, Heard())


async def test_content_is_kept_abroad_by_whom_it_may_be(all_: Everybody) -> None:
    said = subjects.kept(HERE, "c-1", "s-3", "transcripts")
    await all_.abroad.keep(said, b"spoken", "s-3-1", for_s=1000)
    assert await (await all_.fleet.connect(f"keys-{THERE}", THERE)).count(CONTENT_STREAM, said) == {
        said: 1
    }


@pytest.mark.parametrize(
    "subject",
    [
        subjects.kept(HERE, "c-1", "s-1", "transcripts"),
        subjects.report(HERE, "c-1"),
        "$JS.API.STREAM.DELETE.CONTENT",
        "$JS.API.STREAM.CREATE.OTHER",
        "$JS.API.STREAM.LIST",
        "$SYS.REQ.SERVER.PING",
    ],
)
async def test_a_custodian_may_not_say(all_: Everybody, subject: str) -> None:
    await denied(all_.custodian, subject)


@pytest.mark.parametrize("pattern", [">", "hv.content.>", "hv.>", "_INBOX.>", "_INBOX_NODE.>"])
async def test_a_custodian_may_not_hear(all_: Everybody, pattern: str) -> None:
    """What is kept he reads from the store, where it has its end."""
    with pytest.raises(BusRefused):
        await all_.custodian.subscribe(pattern, Heard())


async def test_who_keeps_content_hears_of_what_to_keep_no_more(all_: Everybody) -> None:
    heard = Heard()
    listening = await all_.writer.subscribe("hv.forget.*", heard)
    await all_.custodian.publish(subjects.forget("s-9"), b"")
    await all_.custodian.keep(subjects.deleted("s-9"), b"{}", "s-9", for_s=1000)
    assert await heard.wait(1) == [(subjects.forget("s-9"), b"")]
    await listening.end()
