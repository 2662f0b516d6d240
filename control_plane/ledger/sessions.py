"""Which sessions the centre knows of a time: from its decisions and from nodes' notes (pure)."""

from collections.abc import Iterable

import msgspec

from control_plane.ledger.statement import SessionLine, Span
from heliovox.protocol.control import DecisionView
from shared.exchange import SessionNote


def sessions_of(
    span: Span, decisions: Iterable[DecisionView], notes: Iterable[SessionNote]
) -> list[SessionLine]:
    """One line for every stay of a session at a node, and one for every seat that nobody took.

    A session may go on at another node and come back: every stay has a decision of its own.

    Args:
        span: sessions that began then.
        decisions: that placed sessions.
        notes: in the order in which they were kept.
    """
    begun: dict[tuple[str, str, str, str | None], SessionLine] = {}
    for note in notes:
        key = (note.session, note.node, note.boot, note.decision)
        begun[key] = _with(begun.get(key) or _noted(note), note)
    came = {(line.session, line.decision) for line in begun.values()}
    placed = [
        _placed(one)
        for one in decisions
        if one.session is not None and one.node is not None and (one.session, one.id) not in came
    ]
    lines = [*placed, *begun.values()]
    within = [line for line in lines if span.from_ms <= line.at_ms < span.until_ms]
    return sorted(within, key=lambda line: (line.at_ms, line.session, line.node, line.boot))


def _noted(note: SessionNote) -> SessionLine:
    return SessionLine(
        session=note.session,
        state="live",
        node=note.node,
        region=note.region,
        boot=note.boot,
        tenant=note.tenant,
        policy=note.policy,
        policy_version=note.policy_version,
        decision=note.decision,
        admitted_by=note.admitted_by,
        at_ms=note.at_ms,
    )


def _with(line: SessionLine, note: SessionNote) -> SessionLine:
    """What a further note says; one that comes late changes nothing that is over."""
    if note.event == "started" or line.state == "ended":
        return msgspec.structs.replace(line, at_ms=min(line.at_ms, note.at_ms))
    if note.event != "ended":
        return msgspec.structs.replace(line, audio_ms=max(line.audio_ms, note.audio_ms))
    return msgspec.structs.replace(line, state="ended", ended_ms=note.at_ms, audio_ms=note.audio_ms)


def _placed(view: DecisionView) -> SessionLine:
    return SessionLine(
        session=view.session or "",
        state="placed",
        node=view.node or "",
        region=view.region or "",
        boot="",
        tenant=view.tenant,
        policy=view.policy,
        policy_version=view.policy_version,
        decision=view.id,
        admitted_by="ticket",
        at_ms=view.at_ms,
    )
