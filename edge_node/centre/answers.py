"""What a node answers to the centre: seats for tickets, and commands. Pure: time is passed in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge_node.capacity.admission import Admission
from edge_node.centre.expiry import Held
from edge_node.centre.identity import Identity
from heliovox.protocol.messages import KINDS
from shared.errors import NodeFull, NotAllowed, Unsupported, VoiceError
from shared.exchange import Command, CommandDone, MoveTo, Reserve, Reserved
from shared.policy import CompiledPolicy, Facts


@dataclass(frozen=True, slots=True)
class Abilities:
    """What sessions of this node can have."""

    languages: tuple[str, ...]
    models: tuple[str, ...]
    voices: tuple[str, ...]

    def can(self, kind: str) -> bool:
        """Whether sessions of a kind are possible at all."""
        return kind == "recognition" or bool(self.voices)

    def check(self, kind: str, language: str, model: str | None) -> None:
        """Raises Unsupported, naming field and value."""
        _one_of("kind", kind, KINDS)
        _one_of("language", language, self.languages)
        if model is not None and kind != "synthesis":
            _one_of("model", model, self.models)
        if not self.can(kind):
            raise Unsupported("this node does not speak", field="kind", value=kind)


def facts_of(ask: Reserve) -> Facts:
    """What rules look at, of a session that the centre found a seat for."""
    return Facts(ask.tenant, ask.data, ask.language, frozenset(ask.countries))


def reserve(
    ask: Reserve,
    who: Identity,
    admission: Admission,
    abilities: Abilities,
    held: Held,
    now_s: float,
    at_ms: int,
) -> Reserved:
    """A seat for a ticket, or why not. The node's own rules hold, whatever the centre thinks.

    Args:
        ask: the centre's.
        who: this node.
        admission: its seats.
        abilities: what it can do.
        held: what it admits by.
        now_s: the monotonic clock.
        at_ms: the wall clock, in milliseconds since 1970.
    """
    try:
        abilities.check(ask.kind, ask.language, ask.model)
        _ = check_policy(ask, who.region, held, at_ms)
        ttl_s = admission.reserve(ask, now_s)
    except VoiceError as error:
        numbers = (error.streams, error.limit) if isinstance(error, NodeFull) else (0, 0)
        return Reserved(False, who.node, who.boot, 0.0, error.code, error.message, *numbers)
    count = admission.taken + admission.reserved
    return Reserved(True, who.node, who.boot, ttl_s, held=count, limit=admission.limit)


def check_policy(ask: Reserve, region: str, held: Held, at_ms: int) -> CompiledPolicy:
    """The node's own judgement of a session that the centre found a seat for.

    Raises:
        NotAllowed: the rules at hand forbid the region.
        CentreUnreachable, RulesExpired, Unsupported, PolicyNotInEffect: see `Held.effective`.
    """
    policy = held.effective(ask.policy, facts_of(ask), at_ms)
    if region not in policy.allowed:
        clause = dict(policy.removed).get(region, "")
        message = f"{ask.policy} does not allow {region} ({clause})"
        raise NotAllowed(message, field="policy", value=ask.policy)
    return policy


def _one_of(field: str, value: str, offered: tuple[str, ...]) -> None:
    if value not in offered:
        raise Unsupported(
            f"this node does not have that {field}",
            field=field,
            value=value,
            remedy=f"use one of: {', '.join(offered)}",
        )


class Obedient(Protocol):
    """The node's sessions."""

    def end(self, session: str) -> bool:
        """Ends one; whether it was here."""
        ...

    def move(self, session: str, to: MoveTo) -> bool:
        """Sends one elsewhere at the next end of an utterance; whether it can go."""
        ...

    def give_up(self, session: str, through_sample: int, number: int) -> bool:
        """One goes on elsewhere by the token of a number; whether nothing of it is here now."""
        ...


class Commands:
    """Obeys the centre: each command names the epoch of who gives it, and older ones are ignored.

    Args:
        sessions: the node's.
        stopping: whether the node stops for good: nothing undoes that.
    """

    def __init__(
        self,
        admission: Admission,
        sessions: Obedient,
        stopping: Callable[[], bool],
    ) -> None:
        self._admission, self._sessions, self._stopping = admission, sessions, stopping
        self.epoch = -1
        """The newest that has been seen."""

    def obey(self, command: Command) -> CommandDone:
        """Does it, or says why not."""
        if command.epoch < self.epoch:
            return CommandDone(False, f"epoch {command.epoch} is over: it is {self.epoch} now")
        self.epoch = command.epoch
        match command.do:
            case "drain":
                self._admission.draining = True
                return CommandDone(True)
            case "undrain":
                return self._undrain()
            case "release":
                found = self._admission.release(command.reservation or "")
                return CommandDone(found, "" if found else "no such reservation")
            case "end_session" | "move" | "give_up":
                return self._session(command)

    def _session(self, command: Command) -> CommandDone:
        session, sessions = command.session or "", self._sessions
        if command.do == "end_session":
            done, why = sessions.end(session), "no such session"
        elif command.do == "give_up":
            done = sessions.give_up(session, command.through_sample, command.number)
            why = "it came back meanwhile"
        else:
            done = command.move is not None and sessions.move(session, command.move)
            why = "no session that can move now"
        return CommandDone(done, "" if done else why)

    def _undrain(self) -> CommandDone:
        if self._stopping():
            return CommandDone(False, "the node stops for good")
        self._admission.draining = False
        return CommandDone(True)
