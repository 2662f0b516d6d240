"""What a note makes of a session: which of several nodes has it, and how it stands there (pure).

Recovery tokens are numbered, and whoever goes on has the next number. So of two nodes that speak of
one session the one with the higher number has it; where numbers are equal, who went on later. At
one node the same numbers put pauses and resumptions in order, however their notes arrive.
"""

from typing import NamedTuple

from msgspec.structs import replace

from control_plane.sessions.row import Copy, Row
from shared.exchange import SessionNote


class Followed(NamedTuple):
    """A session after a note."""

    row: Row
    twice: Copy | None = None
    """Where another node has it, too, by what is known."""


def follow(row: Row | None, note: SessionNote) -> Followed:
    """The session as it is now. A note that says nothing new leaves it as it was."""
    if row is None:
        return Followed(_own(_row_of(note), note))
    if row.boot in ("", note.boot):
        return Followed(_own(row, note))
    if not (row.recovers or note.recovery_number):  # it cannot go on: this is another one
        return Followed(_own(_row_of(note), note))
    if _newer(row, note):
        return Followed(_taken_over(row, note), None if row.state == "ended" else _copy(row, note))
    return Followed(row, _stray(row, note))


def _own(row: Row, note: SessionNote) -> Row:
    """A note of the node that has it."""
    if row.state == "ended" and not row.supposed:
        return row
    row = _counted(row, note)
    if note.event == "ended":
        return replace(row, state="ended", reason=note.reason, paused_at_ms=0, supposed=False)
    turned = (note.recovery_number, int(note.event == "paused"))
    if note.event == "usage" or turned < row.turned:
        return _lives(row) if row.state in ("reserved", "lost") or row.supposed else row
    row = replace(row, turned=turned)
    if note.event == "paused":
        return replace(_lives(row), state="paused", paused_at_ms=note.at_ms)
    return replace(_lives(row), took_ms=note.at_ms)


def _lives(row: Row) -> Row:
    return replace(row, state="live", reason=None, paused_at_ms=0, supposed=False)


def _counted(row: Row, note: SessionNote) -> Row:
    """All that a note says, but for how the session stands."""
    number, latest = note.recovery_number, note.recovery_number >= row.recovery_number
    return replace(
        row,
        admitted_by=note.admitted_by,
        boot=note.boot,
        since_ms=note.at_ms if row.state == "reserved" else row.since_ms,
        audio_ms=max(row.audio_ms, note.audio_ms),
        characters=max(row.characters, note.characters),
        policy_version=note.policy_version,
        bundle_version=note.bundle_version,
        ruled=note.ruled or row.ruled,
        caller=note.caller,
        model=note.model,
        home=note.home or row.home,
        data=note.data,
        countries=note.countries,
        recovery_number=number if latest else row.recovery_number,
        recovery_sha256=note.recovery_sha256 if latest else row.recovery_sha256,
        recovery_s=note.recovery_s if latest else row.recovery_s,
        from_sample=note.from_sample,
        noted_ms=max(row.noted_ms, note.at_ms),
        paused_ms=max(row.paused_ms, row.paused_before_ms + note.paused_ms),
    )


def _newer(row: Row, note: SessionNote) -> bool:
    if note.recovery_number != row.recovery_number:
        return note.recovery_number > row.recovery_number
    return note.event in ("started", "resumed") and note.at_ms >= row.took_ms


def _taken_over(row: Row, note: SessionNote) -> Row:
    """It goes on at another node, or another start of one."""
    between_ms = max(0, note.at_ms - row.paused_at_ms) if row.waits else 0
    paused_ms = row.paused_ms + between_ms
    taken = replace(
        row,
        state="lost",
        node=note.node,
        region=note.region,
        boot=note.boot,
        decision=note.decision or row.decision,
        came_from=row.node,
        took_ms=note.at_ms,
        turned=(0, 0),
        noted_ms=0,
        ruled=None,
        reservation=None,
        paused_ms=paused_ms,
        paused_before_ms=paused_ms,
        supposed=False,
    )
    return _own(taken, note)


def _copy(row: Row, note: SessionNote) -> Copy:
    """What is left at the node that had it."""
    return Copy(row.session, row.region, row.node, row.boot, note.from_sample,
                note.recovery_number, note.at_ms)  # fmt: skip


def _stray(row: Row, note: SessionNote) -> Copy | None:
    """Of a node that speaks of it as if it had it still."""
    if note.event == "ended" or note.at_ms <= row.took_ms or row.state == "ended":
        return None
    return Copy(row.session, note.region, note.node, note.boot, row.from_sample,
                row.recovery_number, row.took_ms)  # fmt: skip


def _row_of(note: SessionNote) -> Row:
    return Row(
        session=note.session,
        state="live",
        node=note.node,
        region=note.region,
        kind=note.kind,
        language=note.language,
        tenant=note.tenant,
        policy=note.policy,
        decision=note.decision,
        admitted_by=note.admitted_by,
        since_ms=note.at_ms,
        boot=note.boot,
        from_sample=note.from_sample,
    )
