from hypothesis import given
from hypothesis import strategies as st

from control_plane.sessions.table import NEVER_CAME, NODE_GONE, Row, SessionTable
from shared.exchange import Ruled, SessionNote


def note(event: str, session: str = "s", boot: str = "b", **more: object) -> SessionNote:
    said: dict[str, object] = {
        "id": f"{session}-{event}",
        "event": event,
        "session": session,
        "node": "n",
        "region": "r",
        "boot": boot,
        "kind": "recognition",
        "language": "en",
        "model": None,
        "tenant": "t",
        "policy": "default",
        "policy_version": "v",
        "decision": None,
        "admitted_by": "ticket",
        "at_ms": 5_000,
    }
    return SessionNote(**(said | more))  # type: ignore[arg-type]


def row(session: str = "s", until_ms: int = 9_000) -> Row:
    return Row(
        session=session,
        state="reserved",
        node="n",
        region="r",
        kind="recognition",
        language="en",
        tenant="t",
        policy="default",
        decision="d",
        admitted_by="ticket",
        since_ms=1_000,
        until_ms=until_ms,
    )


def alive(_node: str, _boot: str) -> bool:
    return False


def gone(_node: str, _boot: str) -> bool:
    return True


def state(table: SessionTable, session: str = "s") -> str | None:
    found = table.get(session)
    return None if found is None else found.state


def test_the_life_of_a_session() -> None:
    table = SessionTable(10)
    table.placed(row())
    assert state(table) == "reserved"
    table.noted(note("started", caller="0a" * 16))
    found = table.get("s")
    assert found is not None
    assert (found.state, found.since_ms, found.decision) == ("live", 5_000, "d")
    assert found.view().caller == "0a" * 16
    table.noted(note("usage", audio_ms=700, caller="0a" * 16))
    table.noted(note("ended", audio_ms=900, reason="finished"))
    found = table.get("s")
    assert found is not None
    assert (found.state, found.audio_ms, found.reason) == ("ended", 900, "finished")


def test_a_session_that_a_node_admitted_by_itself_is_known_too() -> None:
    table = SessionTable(10)
    table.noted(note("started", admitted_by="node"))
    found = table.get("s")
    assert found is not None
    assert (found.state, found.admitted_by, found.tenant) == ("live", "node", "t")


def test_whoever_does_not_come_gives_the_seat_back() -> None:
    table = SessionTable(10)
    table.placed(row(until_ms=9_000))
    table.looked_at(8_999, alive)
    assert state(table) == "reserved"
    table.looked_at(9_000, alive)
    found = table.get("s")
    assert found is not None
    assert (found.state, found.reason) == ("ended", NEVER_CAME)


def test_a_dead_nodes_sessions_are_lost_until_it_says_otherwise() -> None:
    table = SessionTable(10)
    table.noted(note("started"))
    table.looked_at(6_000, gone)
    found = table.get("s")
    assert found is not None
    assert (found.state, found.reason) == ("lost", NODE_GONE)
    table.noted(note("usage", audio_ms=5))
    assert state(table) == "live"


def test_a_note_that_comes_before_the_answer_outranks_it() -> None:
    table = SessionTable(10)
    table.noted(note("started"))
    table.placed(row())
    assert state(table) == "live"


def test_nothing_brings_back_what_ended() -> None:
    table = SessionTable(10)
    for event in ("started", "ended", "usage", "started"):
        table.noted(note(event))
    table.placed(row())
    assert state(table) == "ended"


@given(
    st.integers(1, 5),
    st.lists(
        st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["placed", "started", "ended"]))
    ),
)
def test_it_never_holds_more_than_it_may(limit: int, events: list[tuple[str, str]]) -> None:
    table = SessionTable(limit)
    for session, event in events:
        if event == "placed":
            table.placed(row(session))
        else:
            table.noted(note(event, session))
        assert len(table) <= limit
        assert sum(table.counts().values()) == len(table) == len(list(table.rows()))
        assert table.get(session) is not None or event == "ended" or limit < 8


def test_what_is_over_goes_before_what_is_open() -> None:
    table = SessionTable(2)
    table.noted(note("started", "old"))
    table.noted(note("ended", "over"))
    table.noted(note("started", "new"))
    assert (state(table, "old"), state(table, "over"), state(table, "new")) == (
        "live",
        None,
        "live",
    )


def test_what_newer_rules_said_stays_with_the_session() -> None:
    table, ruled = SessionTable(10), Ruled("end", "b2", "p2", "gone.forbid")
    table.noted(note("started", bundle_version="b1"))
    table.noted(note("usage", bundle_version="b1", ruled=ruled))
    table.noted(note("ended", bundle_version="b1", reason="no_longer_allowed"))
    found = table.get("s")
    assert found is not None
    view = found.view()
    assert (view.reason, view.policy_version, view.bundle_version) == (
        "no_longer_allowed", "v", "b1",
    )  # fmt: skip
    assert view.ruled is not None
    assert (view.ruled.does, view.ruled.bundle_version) == ("end", "b2")
    assert (view.ruled.policy_version, view.ruled.clause) == ("p2", "gone.forbid")
