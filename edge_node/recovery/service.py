"""The sessions of a node that may go on after a lost connection: who comes back, who does not.

Everything here runs on the event loop and returns at once.
"""

import logging
from collections import Counter
from collections.abc import Callable
from hmac import compare_digest

from edge_node.desk import Terms
from edge_node.recovery.parking import Parking, ParkingRules
from edge_node.recovery.stay import Stay
from edge_node.recovery.tokens import SECRET_BYTES, Mark, Tokens, known_by, make_token
from edge_node.sessions.kept import Kept, check_same, lacked
from edge_node.sessions.opening import Opening
from heliovox.protocol.messages import Recovery, Resume
from shared.clock import Clock
from shared.errors import ResumeRefused

_log = logging.getLogger(__name__)


class Recoveries:
    """One a node.

    Args:
        rules: how long sessions wait, and how many may. With 0 s none does.
        clock: the monotonic one.
        random_bytes: as `secrets.token_bytes`.
        url: of a control plane that finds another node, if there is one.
        may_end: whether a session whose time is over may end: not while the control plane, which
            knows whether it goes on elsewhere, cannot be heard.
        elsewhere: whether there is somebody who finds other nodes.
        policy_s: how long a session waits by its policy; None where that does not say.
    """

    def __init__(
        self,
        rules: ParkingRules,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        url: str | None = None,
        may_end: Callable[[], bool] = lambda: True,
        elsewhere: Callable[[], bool] = lambda: False,
        policy_s: Callable[[Terms], float | None] = lambda _: None,
    ) -> None:
        self._policy_s = policy_s
        self.rules, self._clock, self._url = rules, clock, url
        self.elsewhere = elsewhere
        self._random_bytes, self._may_end = random_bytes, may_end
        self.parking = Parking(rules)
        self.stays: dict[str, Stay] = {}
        """Sessions that may go on, with a connection or without, by name."""
        self._by_token: dict[str, Stay] = {}
        self.counts: Counter[str] = Counter()
        """Of sessions: what became of them."""

    def waits_s(self, terms: Terms) -> float:
        """How long a session of such terms waits for its caller; 0 for not at all."""
        said_s, own_s = self._policy_s(terms), self.rules.expires_s
        return own_s if said_s is None or not own_s else said_s

    @property
    def may_be_given_up(self) -> int:
        """Sessions that wait, and of which another node may still take over."""
        return len(self.parking.unfinished) if self.elsewhere() else 0

    # --- a session and its tokens ---

    def begin(self, stay: Stay, shown: Mark | None = None) -> None:
        """From here on it may go on after a lost connection.

        Args:
            stay: of the session.
            shown: the token with which its caller came, where another node had it before.
        """
        stay.tokens, stay.expires_s = Tokens(shown), self.waits_s(stay.admitted.terms)
        stay.known = shown is None
        self.stays[stay.session] = stay
        if shown is not None:
            self._by_token[shown.sha256] = stay

    def give_token(self, stay: Stay) -> Recovery:
        """The next one, for `started`."""
        assert stay.tokens is not None
        token = make_token(self._random_bytes(SECRET_BYTES))
        stale, mark = stay.tokens.latest, stay.tokens.give(token)
        if stale != stay.tokens.shown:
            self._by_token.pop(stale.sha256, None)
        self._by_token[mark.sha256] = stay
        return Recovery(token, stay.expires_s, mark.number, self._url)

    def token_came(self, stay: Stay) -> None:
        """The caller has shown that he has the latest token: he is here."""
        assert stay.tokens is not None
        if stay.tokens.shown == stay.tokens.latest:
            return
        self._by_token.pop(stay.tokens.shown.sha256, None)
        stay.tokens.came()
        stay.known = True
        self.counts["resumed"] += 1
        if not stay.over:
            stay.note("resumed")

    def find(self, token: str, account: str) -> Stay | None:
        """The session that an account goes on with, if there is one."""
        digest = known_by(token)
        stay = self._by_token.get(digest)
        if stay is None or stay.tokens is None or not stay.tokens.good(digest):
            return None
        return stay if compare_digest(stay.account.encode(), account.encode()) else None

    # --- a connection is lost ---

    def pause(self, stay: Stay, kept: Kept) -> None:
        """It waits for its caller."""
        stay.detach(kept)
        if kept.farewell is None:
            self.counts["paused"] += 1
            stay.note("paused")
        for crowded_out in self.parking.put(kept, self._clock.now_s(), stay.expires_s):
            self.counts["crowded_out"] += 1
            self._end(crowded_out, "not_resumed")

    # --- another one comes ---

    def check(self, stay: Stay, opening: Opening, resume: Resume) -> None:
        """Whether it goes on so; nothing is changed. Raises ResumeMismatch."""
        check_same(stay.opening, opening)
        if (finals := stay.finals) is not None:
            _ = lacked(finals, resume)

    def come_back(self, stay: Stay, token: str) -> Kept:
        """Its caller is back on a new connection; whoever still has an older one is told.

        Raises:
            ResumeRefused: it is over.
            NodeFull, NodeDraining: its seat is taken meanwhile, and there is no other.
            VoiceError: rules do not let it in any more.
        """
        assert stay.tokens is not None
        if stay.tokens.latest.fits(known_by(token)):
            self.token_came(stay)
        if stay.talk is not None:
            self.counts["superseded"] += 1
            stay.talk.displaced()
        paused = self.parking.of(stay.session)
        if paused is None:
            raise refused()
        if paused.kept.farewell is not None:
            return paused.kept
        stay.take_seat()
        _ = self.parking.take(stay.session)
        stay.paused_ms += round((self._clock.now_s() - paused.since_s) * 1000)
        return paused.kept

    # --- the end ---

    def give_up(self, session: str, through_sample: int, number: int) -> bool:
        """It goes on at another node. Whether nothing of it is here any more.

        Args:
            session: its name.
            through_sample: from where the other node counts.
            number: of the recovery token by which it goes on there. What is here by a later one has
                come back from there, and stays.
        """
        stay = self.stays.get(session)
        if stay is None or stay.tokens is None:
            return True
        if stay.tokens.latest.number > number:
            return False
        if stay.talk is not None:
            self.counts["superseded"] += 1
            stay.talk.displaced()
        self.parking.handed_over(session)
        self.counts["given_up"] += 1
        stay.give_up(through_sample)
        self.forget(stay)
        return True

    def end(self, session: str, reason: str) -> bool:
        """An operator ends one that waits. Whether there was one."""
        paused = self.parking.of(session)
        if paused is None or paused.kept.farewell is not None:
            return False
        self._end(session, reason)
        return True

    def forget(self, stay: Stay) -> None:
        """Nothing more can come of it."""
        self.parking.gone(stay.session)
        if self.stays.get(stay.session) is stay:
            del self.stays[stay.session]
        if stay.tokens is not None:
            for mark in (stay.tokens.shown, stay.tokens.latest):
                self._by_token.pop(mark.sha256, None)

    def tick(self) -> None:
        """About once a second."""
        due = self.parking.due(self._clock.now_s())
        for session in due.park:
            if (stay := self.stays.get(session)) is not None:
                stay.give_seat_back()
        if due.end and not self._may_end():
            return
        for session in due.end:
            self._end(session, "not_resumed")

    def late(self, grace_s: float) -> frozenset[str]:
        """Sessions that should be over for so long already."""
        if not self._may_end():
            return frozenset()
        return frozenset(self.parking.over(self._clock.now_s() - grace_s))

    def drop(self, session: str) -> None:
        """Whatever is left of one that something forgot."""
        self._end(session, "not_resumed")
        if (stay := self.stays.get(session)) is not None:
            stay.end("not_resumed")
            self.forget(stay)

    def _end(self, session: str, reason: str) -> None:
        stay, paused = self.stays.get(session), self.parking.gone(session)
        if stay is None or paused is None:
            return
        try:
            if paused.kept.farewell is None:
                self.counts[reason] += 1
                stay.paused_ms += round((self._clock.now_s() - paused.since_s) * 1000)
                stay.end(reason)
                _log.debug("session %s was\n%s", session, paused.kept.history)
        except Exception:  # noqa: BLE001 a fault in one session is not the others'
            _log.exception("a session that waited failed at its end")
        finally:
            self.forget(stay)


def refused() -> ResumeRefused:
    """The same words whatever is wrong with a token: they tell nobody which sessions there are."""
    return ResumeRefused(
        "no session of this caller goes on with this token: it is unknown here, used, or too late",
        field="resume.token",
        remedy="use the latest token, in time, at the node or by way of the control plane; "
        "else open a new session",
    )
