"""Sessions as the centre knows them: from what it placed and from what nodes noted (pure)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import msgspec

from heliovox.protocol.control import RuledView, SessionView
from shared.exchange import Ruled, SessionNote

State = Literal["reserved", "live", "ended", "lost"]
NEVER_CAME = "never_came"
"""Why a reserved session ended whose caller did not come in time."""
NODE_GONE = "node_gone"
"""Why a session was lost."""


class Row(msgspec.Struct, frozen=True):
    """One session."""

    session: str
    state: State
    node: str
    region: str
    kind: str
    language: str
    tenant: str
    policy: str
    decision: str | None
    admitted_by: str
    since_ms: int
    boot: str = ""
    reservation: str | None = None
    until_ms: int = 0
    """A reserved one is given up then."""
    audio_ms: int = 0
    characters: int = 0
    reason: str | None = None
    policy_version: str = ""
    bundle_version: str = ""
    ruled: Ruled | None = None
    caller: str | None = None

    @property
    def open(self) -> bool:
        """Whether it holds a seat, as far as is known."""
        return self.state in ("reserved", "live")

    def view(self) -> SessionView:
        """As the API says it."""
        return SessionView(
            session=self.session,
            state=self.state,
            node=self.node,
            region=self.region,
            kind=self.kind,
            language=self.language,
            tenant=self.tenant,
            policy=self.policy,
            decision=self.decision,
            admitted_by=self.admitted_by,
            since_ms=self.since_ms,
            audio_ms=self.audio_ms,
            characters=self.characters,
            reason=self.reason,
            policy_version=self.policy_version,
            bundle_version=self.bundle_version,
            ruled=None if self.ruled is None else RuledView(**msgspec.structs.asdict(self.ruled)),
            caller=self.caller,
        )


class SessionTable:
    """At most `limit` sessions: the oldest that are over go first, then the oldest."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: dict[str, Row] = {}
        self._over: dict[str, Row] = {}

    def __len__(self) -> int:
        return len(self._open) + len(self._over)

    def get(self, session: str) -> Row | None:
        """What is known of it."""
        return self._open.get(session) or self._over.get(session)

    def open(self, session: str) -> bool:
        """Whether it holds a seat, as far as is known."""
        return session in self._open

    def rows(self) -> Iterator[Row]:
        """The latest first, open ones before those that are over."""
        yield from reversed(self._open.values())
        yield from reversed(self._over.values())

    def counts(self) -> Mapping[str, float]:
        """How many by state."""
        counts = dict.fromkeys(("reserved", "live", "ended", "lost"), 0.0)
        for row in self.rows():
            counts[row.state] += 1
        return counts

    def placed(self, row: Row) -> None:
        """A seat is held. A note that came before the answer outranks it."""
        if self.get(row.session) is None:
            self._set(row)

    def noted(self, note: SessionNote) -> None:
        """What a node says. Nothing brings back a session that ended."""
        row = self.get(note.session)
        if row is not None and row.state == "ended" and row.boot in ("", note.boot):
            return
        if row is None or row.boot not in ("", note.boot):
            row = _row_of(note)
        self._set(
            msgspec.structs.replace(
                row,
                state="ended" if note.event == "ended" else "live",
                admitted_by=note.admitted_by,
                boot=note.boot,
                since_ms=note.at_ms if row.state == "reserved" else row.since_ms,
                audio_ms=max(row.audio_ms, note.audio_ms),
                characters=max(row.characters, note.characters),
                reason=note.reason if note.event == "ended" else None,
                policy_version=note.policy_version,
                bundle_version=note.bundle_version,
                ruled=note.ruled or row.ruled,
                caller=note.caller,
            )
        )

    def ended(self, session: str, reason: str) -> None:
        """Ended by the centre: a seat that was given back."""
        row = self._open.get(session)
        if row is not None:
            self._set(msgspec.structs.replace(row, state="ended", reason=reason))

    def looked_at(self, now_ms: int, gone: Callable[[str, str], bool]) -> None:
        """Time passed: gives up the reserved that never came, and the live of dead nodes.

        Args:
            now_ms: since 1970.
            gone: whether a node's boot (node, boot) is no more.
        """
        for row in tuple(self._open.values()):
            if row.state == "reserved" and now_ms >= row.until_ms:
                self._set(msgspec.structs.replace(row, state="ended", reason=NEVER_CAME))
            elif row.state == "live" and gone(row.node, row.boot):
                self._set(msgspec.structs.replace(row, state="lost", reason=NODE_GONE))

    def _set(self, row: Row) -> None:
        self._open.pop(row.session, None) if not row.open else self._over.pop(row.session, None)
        where = self._open if row.open else self._over
        where[row.session] = row
        while len(self) > self._limit:
            oldest = self._over or self._open
            del oldest[next(iter(oldest))]


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
    )
