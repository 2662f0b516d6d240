"""The node's plain HTTP: speech, probes, metrics, and a description of them at /schema."""

import logging
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.params import JSONBody, SkipValidation
from litestar.response import Stream

from edge_node.desk import Account, Accounts
from edge_node.protocols.handshake import offered
from edge_node.protocols.speech import SpeechOffer, SpeechRequest, checked_voice, speech_bytes
from edge_node.tts.saying import Speaker
from heliovox import __version__
from shared.errors import NodeDraining, NodeFull, Unauthorised, VoiceError
from shared.metrics import CONTENT_TYPE, Metrics
from shared.problem import MEDIA_TYPE, Problem, encode_problem, plain_problem, problem

_log = logging.getLogger(__name__)
_MISSING = re.compile(r"missing required field `([^`]+)`")

MAX_BODY_BYTES = 256 * 1024
"""Far above the longest text in any script."""

Check = Callable[[], str | None]
"""None where all is well, else what is wrong."""


@dataclass(slots=True)
class HttpNode:
    """What the routes need of the node."""

    name: str
    accounts: Accounts
    speaker: Speaker
    offer: SpeechOffer
    checks: Mapping[str, Check]
    draining: Callable[[], bool]
    max_speeches: int
    metrics: Metrics = field(default_factory=lambda: Metrics([]))
    speeches: int = 0
    """Being said now."""


Node = NamedDependency[SkipValidation[HttpNode]]
AnyRequest = Request[Any, Any, Any]


def make_app(node: HttpNode) -> Litestar:
    """The ASGI application; it keeps no state of its own."""
    return Litestar(
        [healthz, readyz, metrics, speech],
        dependencies={"node": Provide(lambda: node, sync_to_thread=False)},
        exception_handlers={
            VoiceError: _refused,
            HTTPException: _not_http,
            Exception: _broken,
        },
        openapi_config=OpenAPIConfig(
            title="Heliovox edge node",
            version=__version__,
            path="/schema",
            render_plugins=[JsonRenderPlugin()],
        ),
        request_max_body_size=MAX_BODY_BYTES,
        logging_config=None,
        state=State({"node": node}),
    )


@get("/healthz", media_type=MediaType.TEXT, sync_to_thread=False)
def healthz() -> str:
    """The process is alive."""
    return "ok\n"


@get("/readyz", sync_to_thread=False)
def readyz(node: Node) -> Response[dict[str, Any]]:
    """Whether new sessions may come: each part's own check, by name."""
    answers = {name: check() for name, check in node.checks.items()}
    ready = not any(answers.values())
    return Response(
        {"ready": ready, "checks": {name: answer or "ok" for name, answer in answers.items()}},
        status_code=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE,
    )


@get("/metrics", sync_to_thread=False, include_in_schema=False)
def metrics(node: Node) -> Response[bytes]:
    """Numbers in Prometheus' text format."""
    return Response(node.metrics.text(), media_type=CONTENT_TYPE)


def _needs_key(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    key = offered(list(connection.scope["headers"])).key
    node: HttpNode = connection.app.state.node
    if not node.accounts.known(key):
        raise Unauthorised(
            "no known key", field="Authorization", remedy="send `Authorization: Bearer KEY`"
        )


@post("/v1/speech", guards=[_needs_key], status_code=HTTPStatus.OK, security=[{"key": []}])
async def speech(request: AnyRequest, data: JSONBody[SpeechRequest], node: Node) -> Stream:
    """Says a text: audio, streamed while it is made."""
    address = request.client.host if request.client is not None else None
    account = node.accounts.of(offered(list(request.scope["headers"])).key, address)
    voice = checked_voice(data, node.offer)
    _admit(node)
    await account.begin(len(data.text))
    pieces = _counted(node, account, len(data.text), speech_bytes(node.speaker, data, voice))
    first = await anext(pieces, b"")  # what cannot be said is refused before 200 is
    media_type = "audio/wav" if data.format == "wav" else "application/octet-stream"
    return Stream(_rest(first, pieces, request), media_type=media_type)


def _admit(node: HttpNode) -> None:
    if node.draining():
        raise NodeDraining("this node will stop", remedy="use another node")
    if node.speeches >= node.max_speeches:
        raise NodeFull(node.name, node.speeches, node.max_speeches)


async def _counted(
    node: HttpNode, account: Account, characters: int, pieces: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    node.speeches += 1
    sounded = False
    try:
        async for piece in pieces:
            sounded = True
            yield piece
    finally:
        node.speeches -= 1
        if sounded:
            account.said(characters)
        account.over()


async def _rest(
    first: bytes, pieces: AsyncIterator[bytes], request: AnyRequest
) -> AsyncIterator[bytes]:
    """An error after the first audio can only be said by breaking off: it must not look whole."""
    try:
        yield first
        async for piece in pieces:
            yield piece
    except VoiceError as error:
        _log.warning("speech broken off: %s", error.code)
        request.scope["state"]["abort"]()


def _answer(document: Problem) -> Response[bytes]:
    headers = {"WWW-Authenticate": "Bearer"} if document.status == 401 else None
    return Response(
        encode_problem(document),
        status_code=document.status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def _refused(_request: AnyRequest, error: VoiceError) -> Response[bytes]:
    return _answer(problem(error))


def _not_http(_request: AnyRequest, error: HTTPException) -> Response[bytes]:
    detail, field = error.detail, None
    if isinstance(error.extra, list):  # of the body's fields, which one is wrong and how
        faults = [_fault(one) for one in error.extra]
        detail = "; ".join(f"{name}: {what}" for name, what in faults)
        field = next((name for name, _ in faults), None)
    return _answer(plain_problem(HTTPStatus(error.status_code), detail, field))


def _fault(one: Mapping[str, Any]) -> tuple[str, str]:
    """The field of the body, or `body` for the whole, and what is wrong: Litestar says `data`."""
    name, what = str(one.get("key", "body")), str(one.get("message"))
    if missing := _MISSING.search(what):
        return missing[1] if name == "data" else f"{name}.{missing[1]}", what
    if name != "data":
        return name, what
    return "body", "there is none" if what == repr(name) else what


def _broken(_request: AnyRequest, error: Exception) -> Response[bytes]:
    _log.error("a request failed", exc_info=error)
    return _answer(plain_problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error"))
