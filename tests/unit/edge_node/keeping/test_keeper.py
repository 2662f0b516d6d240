"""Content goes where its policy keeps it, each piece once, and no store holds up a session."""

import asyncio
import logging
from pathlib import Path

import msgspec
import pytest

from edge_node.keeping.keeper import ROOM_BYTES
from edge_node.keeping.transcripts import deleted_record
from shared.content.records import TRANSCRIPTS, Deletion, PlaceDeleted
from shared.content.stream import content_stream
from shared.errors import BusFailed
from shared.subjects import CONTENT_STREAM, deleted, forget
from tests.support.virtual_time import run_virtually
from tests.unit.edge_node.keeping.stage import Stage, staged, terms

ALL = ("eu-central", "eu-west", "us-east")


def keep(stage: Stage, count: int, session: str = "s1") -> None:
    for part in range(count):
        stage.keeper.keep(session, TRANSCRIPTS, f"{session}-{part}".encode(), part=str(part))


@pytest.mark.parametrize(
    ("policy", "home", "places"),
    [
        ("default", "eu-central", ()),
        ("month", "eu-central", ("eu-central", "eu-west")),
        ("month", "us-east", ("eu-west", "eu-central")),
        ("abroad", "us-east", ("us-east", "eu-west")),
        ("passing", "eu-west", ("eu-west", "eu-central")),
    ],
)
def test_where_it_goes(tmp_path: Path, policy: str, home: str, places: tuple[str, ...]) -> None:
    async def scene() -> None:
        async with staged(tmp_path, *ALL) as stage:
            stage.keeper.begin("s1", terms(policy, home))
            assert stage.keeper.keeps("s1", TRANSCRIPTS) is bool(places)
            assert stage.keeper.keep("s1", TRANSCRIPTS, b"words", part="1") == places
            await asyncio.sleep(1)
            assert {place for place in ALL if await stage.kept(place)} == set(places)
            assert set(stage.lines) == set(places), "who keeps nothing connects to nobody"
            assert not stage.keeper.lost

    run_virtually(scene())


def test_a_store_that_is_away_gets_everything_once_it_is_back(tmp_path: Path) -> None:
    async def scene() -> None:
        async with staged(tmp_path, *ALL) as stage:
            stage.keeper.begin("s1", terms("month"))
            keep(stage, 5)
            await asyncio.sleep(1)
            stage.lines["eu-west"].cut()
            keep(stage, 50)
            await asyncio.sleep(60)
            assert (await stage.kept("eu-central"), await stage.kept("eu-west")) == (50, 5)
            stage.lines["eu-west"].mend()
            await asyncio.sleep(2)
            for place in ("eu-central", "eu-west"):
                assert await stage.data(place) == [f"s1-{part}".encode() for part in range(50)]

    run_virtually(scene())


def test_the_same_piece_is_kept_once_and_a_later_one_may_take_its_place(tmp_path: Path) -> None:
    async def scene() -> None:
        async with staged(tmp_path, "eu-central") as stage:
            stage.keeper.begin("s1", terms("month"))
            for number in (1, 1, 2):
                data = str(number).encode()
                stage.keeper.keep("s1", TRANSCRIPTS, data, part=str(number), replaces=True)
                await asyncio.sleep(1)
            assert await stage.data("eu-central") == [b"2"]

    run_virtually(scene())


def test_a_store_that_is_full_costs_what_does_not_fit_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing older is thrown away for it, and the node does not hold more than it may."""

    async def scene() -> None:
        async with staged(tmp_path, "eu-central", store_bytes=300, room_bytes=20_000) as stage:
            stage.keeper.begin("s1", terms("month"))
            keep(stage, 100)
            await asyncio.sleep(10)
            in_store, sender = await stage.kept("eu-central"), stage.keeper.senders["eu-central"]
            assert 0 < in_store < 10
            assert sender.outbox.size_bytes <= 20_000
            assert stage.keeper.lost == {"no_room": 100 - in_store - len(sender.outbox)}
            await stage.buses["eu-central"].ensure_stream(content_stream(1 << 20))
            await asyncio.sleep(5)
            assert await stage.kept("eu-central") == 100 - stage.keeper.lost["no_room"]

    with caplog.at_level(logging.INFO):
        run_virtually(scene())
    said = [record.message for record in caplog.records]
    assert sum("not kept anywhere (no_room)" in one for one in said) == 1
    assert sum("content waits to be kept in eu-central" in one for one in said) == 1
    assert sum("content is kept in eu-central again" in one for one in said) == 1
    assert "s1-" not in caplog.text


def test_what_is_too_big_is_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    async def scene() -> None:
        async with staged(tmp_path, "eu-central") as stage:
            stage.keeper.begin("s1", terms("month"))
            too_big = bytes(ROOM_BYTES + 1)
            assert stage.keeper.keep("s1", TRANSCRIPTS, too_big, part="big") == ()
            keep(stage, 1)
            await asyncio.sleep(1)
            assert (await stage.kept("eu-central"), stage.keeper.lost) == (1, {"too_big": 1})

    run_virtually(scene())


@pytest.mark.parametrize(
    ("policy", "no_rules"), [("gone", False), ("later", False), ("month", True)]
)
def test_where_nobody_knows_what_the_policy_keeps_nothing_is_kept_and_that_is_counted(
    tmp_path: Path, policy: str, no_rules: bool
) -> None:
    async def scene() -> None:
        async with staged(tmp_path, *ALL, no_rules=no_rules) as stage:
            stage.keeper.begin("s1", terms(policy))
            assert not stage.keeper.keeps("s1", TRANSCRIPTS)
            assert stage.keeper.lost == {"no_rules": 1}

    run_virtually(scene())


def test_a_policy_that_keeps_where_the_node_knows_no_store_is_counted(tmp_path: Path) -> None:
    async def scene() -> None:
        async with staged(tmp_path, "us-east") as stage:
            stage.keeper.begin("s1", terms("month"))
            assert not stage.keeper.keeps("s1", TRANSCRIPTS)
            assert stage.keeper.lost == {"no_store": 1}

    run_virtually(scene())


@pytest.mark.parametrize("name", ["", "a.b", "*", ">", "A B", "x" * 64])
def test_a_session_with_no_name_for_a_subject_is_served_and_not_kept(
    tmp_path: Path, name: str
) -> None:
    async def scene() -> None:
        async with staged(tmp_path, "eu-central") as stage:
            stage.keeper.begin(name, terms("month"))
            assert stage.keeper.keep(name, TRANSCRIPTS, b"x", part="1") == ()
            stage.keeper.over(name)
            assert stage.keeper.lost == {"no_name": 1}

    run_virtually(scene())


def test_sessions_that_never_began_or_are_over_keep_nothing(tmp_path: Path) -> None:
    async def scene() -> None:
        async with staged(tmp_path, "eu-central") as stage:
            assert stage.keeper.keep("s1", TRANSCRIPTS, b"x", part="1") == ()
            stage.keeper.begin("s1", terms("month"))
            stage.keeper.over("s1")
            stage.keeper.over("s1")
            assert stage.keeper.keep("s1", TRANSCRIPTS, b"x", part="1") == ()

    run_virtually(scene())


# --- not beyond the session ---


def test_what_is_not_kept_beyond_the_session_goes_with_it(tmp_path: Path) -> None:
    """Also what was on its way when it ended; others' content stays."""

    async def scene() -> None:
        async with staged(tmp_path, *ALL) as stage:
            stage.keeper.begin("s1", terms("passing"))
            stage.keeper.begin("s2", terms("month"))
            keep(stage, 40)
            keep(stage, 3, "s2")
            await asyncio.sleep(1)
            assert await stage.kept("eu-west") == 40
            keep(stage, 80)
            stage.keeper.over("s1")
            await asyncio.sleep(2)
            for place in ("eu-central", "eu-west"):
                left = await stage.data(place)
                assert sorted(left) == [b"", b"s2-0", b"s2-1", b"s2-2"], (
                    "and the sign, for a second"
                )
            assert list((tmp_path / "passing").iterdir()) == []

    run_virtually(scene())


def test_what_was_never_sent_leaves_nothing_to_delete(tmp_path: Path) -> None:
    async def scene() -> None:
        async with staged(tmp_path, "eu-central") as stage:
            stage.keeper.begin("s1", terms("passing"))
            keep(stage, 3)
            stage.keeper.over("s1")
            await asyncio.sleep(2)
            assert await stage.data("eu-central") == []
            assert list((tmp_path / "passing").iterdir()) == []

    run_virtually(scene())


def test_a_node_that_died_deletes_when_it_is_started_again(tmp_path: Path) -> None:
    """By the store that was away at the end, too."""

    async def scene() -> None:
        async with staged(tmp_path, "eu-central", "eu-west") as stage:
            stage.keeper.begin("s1", terms("passing"))
            keep(stage, 3)
            await asyncio.sleep(1)
            buses = stage.buses
        assert len(list((tmp_path / "passing").iterdir())) == 1
        async with staged(tmp_path, "eu-central", "eu-west", there=buses, boot="boot-2") as again:
            await asyncio.sleep(2)
            for place in ("eu-central", "eu-west"):
                assert await again.data(place) == [b""]
            assert list((tmp_path / "passing").iterdir()) == []

    run_virtually(scene())


def test_where_it_cannot_be_written_down_nothing_passing_is_kept(tmp_path: Path) -> None:
    """Else a node that dies would leave it behind and not know."""
    (tmp_path / "passing").write_text("a file where the folder should be")

    async def scene() -> None:
        async with staged(tmp_path, "eu-central") as stage:
            stage.keeper.begin("s1", terms("passing"))
            assert stage.keeper.keep("s1", TRANSCRIPTS, b"x", part="1") == ()
            assert stage.keeper.lost == {"no_note": 1}

    run_virtually(scene())


# --- deleted by a custodian ---


def test_nothing_more_is_kept_of_a_session_that_is_deleted(tmp_path: Path) -> None:
    """Not what waits for a store that is away either: it would come back with it."""

    async def scene() -> None:
        async with staged(tmp_path, "eu-central", "eu-west") as stage:
            stage.keeper.begin("s1", terms("month"))
            stage.keeper.begin("s2", terms("month"))
            keep(stage, 3)
            await asyncio.sleep(1)
            stage.lines["eu-west"].cut()
            for part in range(3, 6):
                stage.keeper.keep("s1", TRANSCRIPTS, b"later", part=str(part))
            keep(stage, 2, "s2")
            await asyncio.sleep(1)
            await stage.buses["eu-central"].publish(forget("s1"), b"")
            await asyncio.sleep(1)
            assert stage.keeper.keep("s1", TRANSCRIPTS, b"still", part="9") == ()
            stage.lines["eu-west"].mend()
            await asyncio.sleep(2)
            assert await stage.kept("eu-west") == 3
            assert await stage.kept("eu-west", "s2") == 2
            assert not stage.keeper.lost

    run_virtually(scene())


def test_a_proven_deletion_is_noted_once_by_the_node_whose_it_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It hears it from each of its places; those of others, and unproven ones, it leaves."""

    async def scene() -> None:
        async with staged(tmp_path, "eu-central", "eu-west") as stage:
            stage.keeper.begin("s1", terms("month"))
            keep(stage, 3)
            await asyncio.sleep(1)
            ours, theirs = ("c-1",), ("w-9",)
            unproven = Deletion("s1", 1, False, (PlaceDeleted("eu-west", 3, None, "", ours),))
            proven = Deletion("s1", 2, True, (PlaceDeleted("eu-west", 3, 0, "", ours),))
            others = Deletion("s2", 3, True, (PlaceDeleted("eu-west", 3, 0, "", theirs),))
            for place in ("eu-central", "eu-west"):
                for receipt in (unproven, proven, others):
                    data = msgspec.json.encode(receipt)
                    await stage.buses[place].publish(deleted(receipt.session), data)
                await stage.buses[place].publish(deleted("s1"), b"{")
            await asyncio.sleep(1)
            assert stage.receipts == [proven]

    run_virtually(scene())
    assert "a receipt in eu-west cannot be read" in caplog.text
    receipt = Deletion(
        "s1", 2, True, (PlaceDeleted("a", 3, 0), PlaceDeleted("b", 0, 0), PlaceDeleted("c", 2, 0))
    )
    record = deleted_record(receipt)
    assert (record.session, record.regions, record.objects) == ("s1", ("a", "c"), 5)


def test_at_the_end_what_can_be_kept_is_and_the_rest_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        async with staged(tmp_path, "eu-central", "eu-west") as stage:
            stage.keeper.begin("s1", terms("month"))
            keep(stage, 1)
            await asyncio.sleep(1)
            stage.lines["eu-west"].cut()
            keep(stage, 100)
            buses = stage.buses
        counts = await buses["eu-central"].count(CONTENT_STREAM)
        assert sum(counts.values()) == 100

    run_virtually(scene())
    assert "100 pieces of content could not be kept in eu-west" in caplog.text


def test_a_bus_that_fails_in_any_way_costs_no_session(tmp_path: Path) -> None:
    """The keeper only ever puts aside: what goes wrong later is the sender's."""

    async def scene() -> None:
        async with staged(tmp_path, "eu-central") as stage:
            stage.keeper.begin("s1", terms("month"))
            keep(stage, 1)
            await asyncio.sleep(1)
            await stage.lines["eu-central"].close()
            assert stage.keeper.keep("s1", TRANSCRIPTS, b"x", part="7") == ("eu-central",)
            await asyncio.sleep(5)
            with pytest.raises(BusFailed):
                stage.lines["eu-central"].check()

    run_virtually(scene())
