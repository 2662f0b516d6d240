"""Errors as the API says them, and probes that need no key."""

import logging
from http import HTTPStatus
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException

from shared.errors import VoiceError
from shared.problem import MEDIA_TYPE, Problem, encode_problem, plain_problem, problem

_log = logging.getLogger(__name__)

AnyRequest = Request[Any, Any, Any]


def refused(_request: AnyRequest, error: VoiceError) -> Response[bytes]:
    """A typed error, with the decision behind it where there is one."""
    return _answer(problem(error))


def not_http(_request: AnyRequest, error: HTTPException) -> Response[bytes]:
    """What cannot be read: of the body's fields or the query's, which one is wrong and how."""
    detail, field = error.detail, None
    if isinstance(error.extra, list):
        detail = "; ".join(f"{one.get('key', 'body')}: {one.get('message')}" for one in error.extra)
        field = next((str(one["key"]) for one in error.extra if "key" in one), None)
    return _answer(plain_problem(HTTPStatus(error.status_code), detail, field))


def broken(_request: AnyRequest, error: Exception) -> Response[bytes]:
    """A fault of our own."""
    log_broken(error)
    return _answer(plain_problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error"))


def log_broken(error: Exception) -> None:
    """Said once, with where it came from."""
    _log.error("a request failed", exc_info=error)


def said(document: Problem) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a problem."""
    headers = {"Content-Type": MEDIA_TYPE}
    if document.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if document.retryable:
        headers["Retry-After"] = "1"
    return document.status, headers, encode_problem(document)


def _answer(document: Problem) -> Response[bytes]:
    status, headers, body = said(document)
    media_type = headers.pop("Content-Type")
    return Response(body, status_code=status, media_type=media_type, headers=headers)
