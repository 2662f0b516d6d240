"""What a node answers to the centre: seats for tickets, and commands. Pure: time is passed in."""

from collections.abc import Callable
from dataclasses import dataclass

from edge_node.capacity.admission import Admission
from edge_node.centre.expiry import Held
from edge_node.centre.identity import Identity
from heliovox.protocol.messages import KINDS
from shared.errors import NodeFull, NotAllowed, Unsupported, VoiceError
from shared.exchange import Command, CommandDone, Reserve, Reserved
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


class Commands:
    """Obeys the centre: each command names the epoch of who gives it, and older ones are ignored.

    Args:
        end_session: ends a live session, told its id; whether there was one.
        stopping: whether the node stops for good: nothing undoes that.
    """

    def __init__(
        self,
        admission: Admission,
        end_session: Callable[[str], bool],
        stopping: Callable[[], bool],
    ) -> None:
        self._admission, self._end_session, self._stopping = admission, end_session, stopping
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
            case "end_session":
                found = self._end_session(command.session or "")
                return CommandDone(found, "" if found else "no such session")
            case "release":
                found = self._admission.release(command.reservation or "")
                return CommandDone(found, "" if found else "no such reservation")
            case "move" | "give_up":
                return CommandDone(False, "no such session")

    def _undrain(self) -> CommandDone:
        if self._stopping():
            return CommandDone(False, "the node stops for good")
        self._admission.draining = False
        return CommandDone(True)
