"""One tree of errors. The class says what a caller may do, the fields say what happened."""

from http import HTTPStatus
from typing import ClassVar

from heliovox.protocol.closing import CloseCode
from heliovox.protocol.messages import Error


class VoiceError(Exception):
    """What a caller is told: which field, which value, what to do about it."""

    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False
    """Could the same request succeed elsewhere, or later?"""
    close_code: ClassVar[CloseCode] = CloseCode.INTERNAL
    http_status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        value: object = None,
        remedy: str | None = None,
        decision: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.field, self.remedy = message, field, remedy
        self.decision = decision
        self.value = None if value is None else str(value)[:200]

    def as_message(self) -> Error:
        """The error as it travels to the caller."""
        return Error(
            self.code,
            self.message,
            self.field,
            self.value,
            self.remedy,
            self.retryable,
            self.decision,
        )


class InvalidMessage(VoiceError):
    """Not understood, or not allowed now: mend the client."""

    code = "invalid_message"
    close_code = CloseCode.INVALID
    http_status = HTTPStatus.BAD_REQUEST


class BrokenFrame(VoiceError):
    """Not WebSocket as RFC 6455 has it: mend the client's library."""

    code = "broken_frame"
    close_code = CloseCode.BROKEN_FRAME
    http_status = HTTPStatus.BAD_REQUEST


class WrongKindOfMessage(VoiceError):
    """Text where audio belongs, or the reverse."""

    code = "wrong_kind_of_message"
    close_code = CloseCode.WRONG_KIND
    http_status = HTTPStatus.BAD_REQUEST


class Unsupported(VoiceError):
    """A language, kind, rate, voice or model that this node does not have."""

    code = "unsupported"
    close_code = CloseCode.UNSUPPORTED
    http_status = HTTPStatus.UNPROCESSABLE_ENTITY


class NothingToSay(VoiceError):
    """A text without a word, a number or a symbol in it."""

    code = "nothing_to_say"
    close_code = CloseCode.INVALID
    http_status = HTTPStatus.UNPROCESSABLE_ENTITY


class Unauthorised(VoiceError):
    """No key, or an unknown one."""

    code = "unauthorised"
    close_code = CloseCode.UNAUTHORISED
    http_status = HTTPStatus.UNAUTHORIZED


class TicketRefused(Unauthorised):
    """A ticket that is forged, expired, used, or for another node: ask for a new one."""

    code = "ticket_refused"


class ResumeRefused(Unauthorised):
    """The recovery token is forged, used, too late, or another session's: open a new session."""

    code = "resume_refused"


class ResumeMismatch(InvalidMessage):
    """The audio does not go on where the words end: mend the client."""

    code = "resume_mismatch"


class Superseded(VoiceError):
    """The same session goes on over a newer connection."""

    code = "superseded"
    close_code = CloseCode.SUPERSEDED
    http_status = HTTPStatus.CONFLICT


class Forbidden(VoiceError):
    """The key does not permit this: another policy, or an operator's call."""

    code = "forbidden"
    close_code = CloseCode.FORBIDDEN
    http_status = HTTPStatus.FORBIDDEN


class PolicyNotInEffect(Forbidden):
    """The policy is not in effect yet, or not any more."""

    code = "policy_not_in_effect"


class PlaceUnknown(Forbidden):
    """The policy goes by a country of the caller that nobody knows."""

    code = "place_unknown"


class PlaceContradicted(Forbidden):
    """The caller claims another country than his address's, and the policy wants them to agree."""

    code = "place_contradicted"


class NotAllowed(VoiceError):
    """No region that the policy allows has a node that could take the session, full or not."""

    code = "not_allowed"
    close_code = CloseCode.FORBIDDEN
    http_status = HTTPStatus.FORBIDDEN


class NoRoom(VoiceError):
    """Every node that may take the session is full, or not ready: later it may be otherwise."""

    code = "no_room"
    retryable = True
    close_code = CloseCode.TRY_LATER
    http_status = HTTPStatus.SERVICE_UNAVAILABLE


class Overloaded(VoiceError):
    """More requests than can be dealt with in time: later, or elsewhere, it may be otherwise."""

    code = "overloaded"
    retryable = True
    close_code = CloseCode.TRY_LATER
    http_status = HTTPStatus.SERVICE_UNAVAILABLE


class CentreUnreachable(VoiceError):
    """The node may not decide this alone, and the control plane does not answer."""

    code = "centre_unreachable"
    retryable = True
    close_code = CloseCode.TRY_LATER
    http_status = HTTPStatus.SERVICE_UNAVAILABLE


class RulesExpired(VoiceError):
    """The node was cut off for so long that its rules are out of date, and admits by none."""

    code = "rules_expired"
    retryable = True
    close_code = CloseCode.TRY_LATER
    http_status = HTTPStatus.SERVICE_UNAVAILABLE


class NoLongerAllowed(VoiceError):
    """Newer rules forbid the region of a session that runs: elsewhere it may be allowed."""

    code = "no_longer_allowed"
    retryable = True
    close_code = CloseCode.FORBIDDEN
    http_status = HTTPStatus.FORBIDDEN


class LedgerUnavailable(VoiceError):
    """The session may be heard only where a ledger says so, and the node can write none now."""

    code = "ledger_unavailable"
    retryable = True
    close_code = CloseCode.TRY_LATER
    http_status = HTTPStatus.SERVICE_UNAVAILABLE


class BusFailed(VoiceError):
    """The message bus did not answer in time, or is gone."""

    code = "bus_failed"
    retryable = True
    close_code = CloseCode.TRY_LATER
    http_status = HTTPStatus.SERVICE_UNAVAILABLE


class BusRefused(BusFailed):
    """The message bus denies it: credentials or permissions are wrong, and time mends neither."""

    code = "bus_refused"
    retryable = False


class NotFound(VoiceError):
    """Nothing lives at this path."""

    code = "not_found"
    close_code = CloseCode.UNSUPPORTED
    http_status = HTTPStatus.NOT_FOUND


class TooBig(VoiceError):
    """More than one message, text or queue may hold: send less at a time."""

    code = "too_big"
    close_code = CloseCode.TOO_BIG
    http_status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class LimitPassed(VoiceError):
    """A time limit ran out: nothing said, nothing read."""

    code = "limit_passed"
    close_code = CloseCode.POLICY
    http_status = HTTPStatus.REQUEST_TIMEOUT


class NodeFull(VoiceError):
    """Every seat of the kind is taken."""

    code = "node_full"
    retryable = True
    close_code = CloseCode.TRY_LATER
    http_status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, node: str, streams: int, limit: int) -> None:
        super().__init__(
            f"{node} carries {streams} of {limit} streams",
            field="node",
            value=node,
            remedy="try another node, or this one later",
        )
        self.node, self.streams, self.limit = node, streams, limit


class NodeDraining(VoiceError):
    """The node takes no new sessions."""

    code = "node_draining"
    retryable = True
    close_code = CloseCode.GOING_AWAY
    http_status = HTTPStatus.SERVICE_UNAVAILABLE


class EngineFailed(VoiceError):
    """The recogniser or the voice broke: the session cannot go on here."""

    code = "engine_failed"
    retryable = True
    close_code = CloseCode.INTERNAL
    http_status = HTTPStatus.INTERNAL_SERVER_ERROR


class ModelRefused(VoiceError):
    """A model file that is not what it says: truncated, of another type, of a newer format."""

    code = "model_refused"


class SnapshotRefused(VoiceError):
    """A saved stream of another model, variant or format."""

    code = "snapshot_refused"
