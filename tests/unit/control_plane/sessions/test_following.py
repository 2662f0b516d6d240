"""Which node has a session, whatever notes come and in whatever order."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from control_plane.sessions.row import GRACE_MS, Copy, Row
from control_plane.sessions.table import NODE_GONE, NOT_RESUMED, SILENT_MS, SessionTable
from shared.exchange import SessionNote
from tests.unit.control_plane.sessions.test_table import alive, gone, note

RECOVERY_S = 120.0


def said(event: str, number: int, at_ms: int, node: str = "n", **more: object) -> SessionNote:
    """A note of a session that can go on."""
    given_ = {
        "node": node, "boot": f"boot of {node}", "at_ms": at_ms, "recovery_number": number,
        "recovery_sha256": f"{number:064x}", "recovery_s": RECOVERY_S,
    }  # fmt: skip
    return note(event, **(given_ | more))


def after(*notes: SessionNote) -> tuple[SessionTable, list[Copy]]:
    table = SessionTable(10)
    twice = [table.noted(each) for each in notes]
    return table, [copy for copy in twice if copy is not None]


def row_of(table: SessionTable) -> Row:
    row = table.get("s")
    assert row is not None
    return row


def test_a_lost_connection_is_a_pause_with_the_latest_token() -> None:
    table, _ = after(said("started", 1, 1_000), said("paused", 1, 9_000, paused_ms=0))
    row = row_of(table)
    assert (row.state, row.open, row.recovery_sha256[-1]) == ("paused", True, "1")
    assert row.good_until_ms == 9_000 + 120_000 + GRACE_MS
    assert row.view().paused_at_ms == 9_000
    table.noted(said("resumed", 2, 11_000, paused_ms=2_000))
    row = row_of(table)
    assert (row.state, row.recovery_number, row.paused_ms) == ("live", 2, 2_000)
    assert row.view().paused_at_ms is None


@given(st.randoms(use_true_random=False))
def test_notes_of_one_node_may_come_in_any_order(random: Random) -> None:
    """A node sends many at once. The latest token and the state go by numbers, not by arrival."""
    notes = [
        said("started", 1, 1_000),
        said("usage", 1, 2_000, audio_ms=1_000),
        said("paused", 1, 3_000, audio_ms=2_000),
        said("resumed", 2, 4_000, audio_ms=2_000),
        said("usage", 2, 5_000, audio_ms=3_000),
        said("paused", 2, 6_000, audio_ms=4_000),
    ]
    random.shuffle(notes)
    table, twice = after(*notes)
    row = row_of(table)
    assert (row.state, row.paused_at_ms, row.recovery_number) == ("paused", 6_000, 2)
    assert (row.audio_ms, twice) == (4_000, [])


def test_who_went_on_elsewhere_is_live_there_and_left_a_copy_behind() -> None:
    table, twice = after(
        said("started", 1, 1_000, decision="d-1"),
        said("paused", 1, 5_000, audio_ms=4_000, paused_ms=0),
        said("resumed", 2, 7_000, "m", from_sample=48_000, decision="d-2", audio_ms=4_500),
    )
    row = row_of(table)
    assert (row.state, row.node, row.came_from, row.decision) == ("live", "m", "n", "d-2")
    assert (row.since_ms, row.audio_ms, row.paused_ms) == (1_000, 4_500, 2_000)
    assert twice == [Copy("s", "r", "n", "boot of n", 48_000, 2, 7_000)]


def test_the_node_that_had_it_cannot_take_it_back_by_talking() -> None:
    """Late notes say nothing; later ones show that there are two."""
    table, _ = after(said("started", 1, 1_000), said("resumed", 2, 7_000, "m"))
    assert table.noted(said("usage", 1, 6_000)) is None
    assert row_of(table).node == "m"
    copy = table.noted(said("usage", 1, 8_000))
    assert copy is not None
    assert (copy.node, copy.number) == ("n", 2)
    assert table.noted(said("ended", 1, 9_000)) is None
    assert (row_of(table).node, row_of(table).state) == ("m", "live")


@given(st.randoms(use_true_random=False))
def test_of_two_that_live_the_newer_has_it_whoever_speaks_last(random: Random) -> None:
    notes = [
        said("started", 1, 1_000),
        said("usage", 1, 9_000),
        said("resumed", 2, 5_000, "m"),
        said("usage", 2, 6_000, "m"),
        said("resumed", 3, 7_000, "k"),
        said("paused", 3, 8_000, "k"),
    ]
    random.shuffle(notes)
    table, _ = after(*notes)
    row = row_of(table)
    assert (row.node, row.state, row.recovery_number) == ("k", "paused", 3)


def test_equal_numbers_go_to_who_went_on_later() -> None:
    """The caller got through elsewhere with a token, then back here with the one before it."""
    for order in (0, 1):
        both = [said("resumed", 2, 5_000, "m"), said("resumed", 2, 6_000)]
        table, twice = after(said("started", 1, 1_000), *both[:: 1 if order else -1])
        assert row_of(table).node == "n"
        assert {copy.node for copy in twice} <= {"n", "m"}


def test_a_dead_nodes_session_waits_for_its_time_then_ends() -> None:
    table, _ = after(said("started", 1, 1_000), said("usage", 1, 31_000))
    table.looked_at(40_000, gone)
    row = row_of(table)
    assert (row.state, row.reason, row.open) == ("lost", NODE_GONE, True)
    assert row.good_until_ms == 40_000 + 120_000 + GRACE_MS
    table.looked_at(165_000, gone)
    assert row_of(table).state == "lost"
    table.looked_at(165_001, gone)
    row = row_of(table)
    assert (row.state, row.reason, row.open) == ("ended", NOT_RESUMED, False)


def test_what_died_while_the_centre_was_away_does_not_wait_anew() -> None:
    """Read again after a start, an old session that nobody ended is over at once."""
    table, _ = after(said("started", 1, 1_000))
    long_after_ms = 10**10
    table.looked_at(long_after_ms, gone)
    assert row_of(table).good_until_ms == 1_000 + SILENT_MS + 120_000 + GRACE_MS
    table.looked_at(long_after_ms, gone)
    assert row_of(table).state == "ended"


def test_one_that_cannot_go_on_stays_lost() -> None:
    table = SessionTable(10)
    table.noted(note("started"))
    table.looked_at(10**10, gone)
    table.looked_at(2 * 10**10, gone)
    assert (row_of(table).state, row_of(table).open) == ("lost", False)


def test_who_is_found_alive_after_all_is_live() -> None:
    """The centre only supposed that it was over: its region was cut off."""
    table, _ = after(said("started", 1, 1_000))
    for now_ms in (20_000, 10**9):
        table.looked_at(now_ms, gone)
    assert row_of(table).state == "ended"
    table.noted(said("usage", 1, 30_000))
    assert row_of(table).state == "live"


def test_a_lost_session_goes_on_elsewhere() -> None:
    table, _ = after(said("started", 1, 1_000), said("usage", 1, 31_000, audio_ms=30_000))
    table.looked_at(40_000, gone)
    copy = table.noted(said("resumed", 2, 41_000, "m", audio_ms=30_500))
    assert copy is not None
    row = row_of(table)
    assert (row.state, row.node, row.reason, row.paused_ms) == ("live", "m", None, 1_000)
    table.looked_at(42_000, alive)
    assert row_of(table).state == "live"


def test_what_ended_stays_ended_even_by_a_node_that_has_it_no_more() -> None:
    table, _ = after(
        said("started", 1, 1_000), said("resumed", 2, 5_000, "m"), said("ended", 2, 6_000, "m")
    )
    assert table.noted(said("usage", 1, 7_000)) is None
    assert row_of(table).state == "ended"
