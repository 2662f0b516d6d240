"""Who may say and hear what, asked of real servers: a hub and two leaves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from shared import subjects
from shared.bus.nats_bus import NatsBus
from shared.errors import BusFailed, BusRefused
from tests.contract.buses import Heard
from tests.support.everybody import HERE, THERE, Everybody, denied, everybody, reach
from tests.support.nats_fleet import WAIT_S, until

pytestmark = [pytest.mark.process, pytest.mark.anyio]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def all_(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Everybody]:
    async with everybody(tmp_path_factory.mktemp("fleet")) as connected:
        yield connected


NODE_MAY_NOT_SAY = [
    subjects.report(HERE, "c-2"),
    subjects.report(THERE, "c-1"),
    subjects.report(THERE, "w-1"),
    subjects.note(HERE, "c-2"),
    subjects.head(HERE, "c-2"),
    subjects.note(THERE, "w-1"),
    subjects.head(THERE, "w-1"),
    subjects.ask(HERE, "c-2"),
    subjects.wait(HERE, "c-2", "p-1"),
    subjects.bundle(HERE, "c-2"),
    subjects.reserve(HERE, "c-1"),
    subjects.reserve(HERE, "c-2"),
    subjects.command(HERE, "c-1"),
    subjects.command(THERE, "w-1"),
    subjects.decision("p-1", "d-1"),
    subjects.record("p-1"),
    subjects.ledger_head("p-1", "0123456789abcdef"),
    subjects.ledger_world("p-1"),
    subjects.NEWS,
    subjects.content(HERE, "c-1", "words"),
    subjects.content(HERE, "c-2", "words"),
    subjects.deleted("a1"),
    "_INBOX.c-2.x",
    "_INBOX.p-1.x.y",
    "$JS.API.STREAM.LIST",
    "$JS.centre.API.STREAM.LIST",
    "$JS.API.STREAM.MSG.GET.NOTES_eu-central",
    "$KV.KEYS.a",
    "$SYS.REQ.SERVER.PING",
]


@pytest.mark.parametrize("subject", NODE_MAY_NOT_SAY)
async def test_a_node_may_not_say(all_: Everybody, subject: str) -> None:
    heard = Heard()
    listening = await all_.masters[HERE].subscribe("hv.>", heard)
    await denied(all_.node, subject)
    await all_.node.publish(subjects.report(HERE, "c-1"), b"allowed")
    assert (await heard.wait(1))[0] == (subjects.report(HERE, "c-1"), b"allowed")
    await listening.end()


NODE_MAY_NOT_HEAR = [
    ">",
    "hv.>",
    "hv.meta.>",
    subjects.REPORTS,
    subjects.report(HERE, "c-2"),
    subjects.note(HERE, "c-1"),
    subjects.head(HERE, "c-1"),
    subjects.reserve(HERE, "c-2"),
    subjects.reserve(THERE, "w-1"),
    f"hv.meta.{HERE}.*.reserve",
    subjects.command(HERE, "c-2"),
    "hv.meta.centre.>",
    "_INBOX.>",
    "_INBOX.c-2.>",
    "_INBOX.p-1.>",
    "hv.content.>",
    f"hv.content.{HERE}.>",
    subjects.deleted("a1"),
    "$JS.>",
    "$KV.>",
    "$SYS.>",
]


@pytest.mark.parametrize("pattern", NODE_MAY_NOT_HEAR)
async def test_a_node_may_not_hear(all_: Everybody, pattern: str) -> None:
    with pytest.raises(BusRefused, match="denies listening"):
        await all_.node.subscribe(pattern, Heard())


@pytest.mark.parametrize(
    "subject",
    [
        subjects.content(HERE, "c-1", "words"),
        subjects.report(HERE, "c-1"),
        subjects.note(HERE, "c-1"),
        subjects.ask(HERE, "c-1"),
        subjects.wait(HERE, "c-1", "p-1"),
        subjects.head(HERE, "c-1"),
        subjects.record("p-2"),
        subjects.ledger_world("p-2"),
        subjects.decision("p-2", "d"),
        "_INBOX.c-1.x",
        "_INBOX.p-2.x",
        "$SYS.REQ.SERVER.PING",
    ],
)
async def test_a_control_plane_may_not_say(all_: Everybody, subject: str) -> None:
    await denied(all_.plane, subject)


@pytest.mark.parametrize(
    "pattern",
    [
        ">",
        "hv.>",
        "hv.content.>",
        f"hv.content.{HERE}.>",
        subjects.content(HERE, "c-1", "words"),
        "_INBOX.>",
        "_INBOX.c-1.>",
        "_INBOX.p-2.>",
        subjects.reserve(HERE, "c-1"),
        "$SYS.>",
    ],
)
async def test_a_control_plane_may_not_hear(all_: Everybody, pattern: str) -> None:
    with pytest.raises(BusRefused):
        await all_.plane.subscribe(pattern, Heard())


@pytest.mark.parametrize(
    "subject", [subjects.NEWS, subjects.command(HERE, "c-1"), "$JS.API.INFO", "$KV.KEYS.a", "x"]
)
async def test_an_operator_may_not_say(all_: Everybody, subject: str) -> None:
    await denied(all_.operator, subject)


@pytest.mark.parametrize("pattern", [">", "hv.content.>", "_INBOX.>", "$JS.>"])
async def test_an_operator_may_not_hear(all_: Everybody, pattern: str) -> None:
    with pytest.raises(BusRefused):
        await all_.operator.subscribe(pattern, Heard())


@pytest.mark.parametrize(
    ("who", "at"),
    [
        ("stranger", "centre"),
        ("stranger", HERE),
        ("c-1", THERE),
        ("c-1", "centre"),
        ("p-1", HERE),
        (f"ear-{HERE}", "centre"),
        (f"ear-{HERE}", THERE),
        (f"keys-{HERE}", "centre"),
        (f"keys-{HERE}", THERE),
        ("content-c-1", "centre"),
        ("content-w-1", HERE),
        (f"leaf-{HERE}", "centre"),
    ],
)
async def test_whom_a_server_does_not_know(all_: Everybody, who: str, at: str) -> None:
    """Anybody's key, or the right one at the wrong place: a leaf's opens nothing to a client."""
    with pytest.raises(BusRefused, match="does not know") as refused:
        await all_.fleet.connect(who, at)
    assert refused.value.remedy is not None


@pytest.mark.parametrize("at", ["centre", HERE, THERE])
async def test_nobody_comes_in_without_a_key(all_: Everybody, at: str) -> None:
    url = all_.fleet.servers[at].url
    with pytest.raises(BusRefused):
        await NatsBus.connect(url, None, name="nobody", inbox_prefix="_INBOX.nobody")


async def test_a_region_with_a_wrong_key_is_not_linked(all_: Everybody) -> None:
    fleet = all_.fleet
    await fleet.start_leaf("stranger", HERE, "leaf-stranger")
    log = fleet.servers["stranger"].log

    async def is_refused() -> bool:
        return "Authorization Violation" in log.read_text()

    await until(is_refused)
    node = await fleet.connect("c-2", "stranger")
    heard = Heard()
    listening = await all_.masters["centre"].subscribe(subjects.REPORTS, heard)
    with pytest.raises(BusFailed, match="nobody"):
        await node.request(subjects.ask(HERE, "c-2"), b"", 3600)
    await node.publish(subjects.report(HERE, "c-2"), b"stranger")
    await all_.node.publish(subjects.report(HERE, "c-1"), b"ours")
    assert (await heard.wait(1))[0][1] == b"ours"
    await listening.end()
    await fleet.servers["stranger"].stop()


async def test_reports_reach_the_centre(all_: Everybody) -> None:
    heard, looked = Heard(), Heard()
    listening = await all_.plane.subscribe(subjects.REPORTS, heard)
    looking = await all_.operator.subscribe("hv.>", looked)
    await reach(all_.node, subjects.report(HERE, "c-1"), heard)
    await reach(all_.far, subjects.report(THERE, "w-1"), heard)
    assert {subject for subject, _ in heard.all} == {
        subjects.report(HERE, "c-1"),
        subjects.report(THERE, "w-1"),
    }
    await looked.wait(2)
    await listening.end()
    await looking.end()


async def test_questions_are_answered_both_ways(all_: Everybody) -> None:
    answering = [
        await all_.plane.subscribe(subjects.ASKS, Heard(b"from the centre")),
        await all_.plane.subscribe(subjects.BUNDLES, Heard(b"bundle")),
        await all_.plane.subscribe(subjects.waits("p-1"), Heard(b"your turn")),
        await all_.node.subscribe(subjects.reserve(HERE, "c-1"), Heard(b"granted")),
        await all_.far.subscribe(subjects.command(THERE, "w-1"), Heard(b"done")),
    ]
    for bus, subject, answer in (
        (all_.node, subjects.ask(HERE, "c-1"), b"from the centre"),
        (all_.far, subjects.bundle(THERE, "w-1"), b"bundle"),
        (all_.far, subjects.wait(THERE, "w-1", "p-1"), b"your turn"),
        (all_.plane, subjects.reserve(HERE, "c-1"), b"granted"),
        (all_.plane, subjects.command(THERE, "w-1"), b"done"),
    ):

        async def is_answered(
            bus: NatsBus = bus, subject: str = subject, a: bytes = answer
        ) -> bool:
            try:
                return await bus.request(subject, b"", 5.0) == a
            except BusFailed:
                return False

        await until(is_answered)
    for one in answering:
        await one.end()


async def test_news_reaches_all_nodes(all_: Everybody) -> None:
    for bus in (all_.node, all_.far):
        heard = Heard()
        listening = await bus.subscribe(subjects.NEWS, heard)
        await reach(all_.plane, subjects.NEWS, heard)
        await listening.end()


async def test_the_centre_keeps_keys_and_records(all_: Everybody) -> None:
    keys = all_.plane.kv("KEYS")
    await keys.put("a", b"1")
    assert await keys.keys() == ("a",)
    await keys.delete("a")


async def test_notes_are_kept_by_the_region_and_copied_to_the_centre(all_: Everybody) -> None:
    mine = subjects.note(HERE, "c-1")
    first = await all_.node.keep(mine, b"one", "note-1")
    assert await all_.node.keep(mine, b"one", "note-1") == first
    await all_.far.keep(subjects.note(THERE, "w-1"), b"two", "note-2")
    assert await copied(all_.plane, 2) == {
        (mine, b"one"),
        (subjects.note(THERE, "w-1"), b"two"),
    }


async def copied(plane: NatsBus, count: int, after: int = 0) -> set[tuple[str, bytes]]:
    """So many notes of the centre's stream."""
    got: list[tuple[str, bytes]] = []
    async with asyncio.timeout(WAIT_S), aclosing(plane.read("NOTES", after)) as notes:
        async for note in notes:
            got.append((note.subject, note.data))
            if len(got) == count:
                break
    assert len(set(got)) == len(got)
    return set(got)


@pytest.mark.parametrize("who", ["region", "centre"])
async def test_content_is_held_back_whoever_sends_it(all_: Everybody, who: str) -> None:
    """Not even one whom nothing is forbidden gets it across, either way."""
    at, across = (HERE, "centre") if who == "region" else ("centre", HERE)
    heard = Heard()
    listening = await all_.masters[across].subscribe(">", heard)
    behind = subjects.report(HERE, "c-1") if who == "region" else subjects.NEWS
    await all_.masters[at].publish(subjects.content(HERE, "c-1", "words"), b"x")
    await reach(all_.masters[at], behind, heard)
    assert {subject for subject, _ in heard.all if subject.startswith("hv.")} == {behind}
    await listening.end()


@pytest.mark.parametrize(
    "subject",
    [subjects.report(THERE, "w-1"), subjects.record("p-1"), subjects.NEWS, "_INBOX.w-1.x"],
)
async def test_a_region_speaks_for_itself_alone(all_: Everybody, subject: str) -> None:
    """Also where its whole server is in wrong hands, and permits everything."""
    heard = Heard()
    listening = await all_.masters["centre"].subscribe(">", heard)
    await all_.masters[HERE].publish(subject, b"forged")
    await reach(all_.masters[HERE], subjects.report(HERE, "c-1"), heard)
    assert (subject, b"forged") not in heard.all
    await listening.end()


@pytest.mark.parametrize("how", ["link", "hub"])
async def test_a_region_that_is_cut_off_goes_on_and_catches_up(all_: Everybody, how: str) -> None:
    """Last: it takes the hub away."""
    mine, far = subjects.note(HERE, "c-1"), subjects.note(THERE, "w-1")
    begun = await until_quiet(all_.plane)
    if how == "link":
        all_.fleet.links[HERE].cut()
    else:
        await all_.fleet.servers["centre"].kill()
        await until(lambda: is_disconnected(all_.plane))
    for number in range(50):
        await all_.node.keep(mine, f"{how}{number}".encode(), f"{how}{number}")
    with pytest.raises(BusFailed):
        await all_.node.request(subjects.ask(HERE, "c-1"), b"", 0.5)
    if how == "link":
        await all_.far.keep(far, b"meanwhile", "meanwhile")
        assert await copied(all_.plane, 1, begun) == {(far, b"meanwhile")}
        begun += 1
        all_.fleet.links[HERE].heal()
    else:
        await all_.fleet.start_hub()
        await until(lambda: is_connected(all_.plane))
    wanted = {(mine, f"{how}{number}".encode()) for number in range(50)}
    assert await copied(all_.plane, 50, begun) == wanted
    await all_.fleet.linked(all_.plane, all_.node, all_.far)


async def until_quiet(plane: NatsBus) -> int:
    """The last sequence of NOTES once everything of before is there."""
    last = [
        await plane.last("NOTES", s)
        for s in (subjects.note(HERE, "c-1"), subjects.note(THERE, "w-1"))
    ]
    return max(one.sequence for one in last if one is not None)


async def is_connected(bus: NatsBus) -> bool:
    return bus.connected


async def is_disconnected(bus: NatsBus) -> bool:
    return not bus.connected
