"""Errors as HTTP says them: problem+json (RFC 9457) with the fields of the wire's own errors."""

from http import HTTPStatus

import msgspec

from shared.errors import InvalidMessage, NotFound, TooBig, VoiceError

MEDIA_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is wrong, where, and what to do about it."""

    title: str
    status: int
    detail: str
    code: str
    type: str = "about:blank"
    field: str | None = None
    value: str | None = None
    remedy: str | None = None
    retryable: bool = False
    decision: str | None = None
    """The control plane's decision that says no."""


def problem(error: VoiceError) -> Problem:
    """A typed error as a problem document."""
    return Problem(
        title=error.http_status.phrase,
        status=error.http_status.value,
        detail=error.message,
        code=error.code,
        field=error.field,
        value=error.value,
        remedy=error.remedy,
        retryable=error.retryable,
        decision=error.decision,
    )


_CODES = {error.http_status: error.code for error in (InvalidMessage, NotFound, TooBig, VoiceError)}


def plain_problem(status: HTTPStatus, detail: str, field: str | None = None) -> Problem:
    """What HTTP itself refuses: an unknown path, a body that cannot be read."""
    return Problem(
        title=status.phrase,
        status=status.value,
        detail=detail,
        code=_CODES.get(status) or status.phrase.lower().replace(" ", "_"),
        field=field,
    )


def encode_problem(document: Problem) -> bytes:
    """The document as UTF-8 JSON."""
    return msgspec.json.encode(document)
