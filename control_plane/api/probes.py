"""Probes and numbers: need no key, tell no identities."""

from http import HTTPStatus
from typing import Any

from litestar import MediaType, Response, get

from control_plane.api.centre import Centred
from shared.metrics import CONTENT_TYPE


@get("/healthz", media_type=MediaType.TEXT, sync_to_thread=False)
def healthz() -> str:
    """The process is alive."""
    return "ok\n"


@get("/readyz", sync_to_thread=False)
def readyz(centre: Centred) -> Response[dict[str, Any]]:
    """Whether sessions can be placed: each part's own check, by name."""
    answers = {name: check() for name, check in centre.checks.items()}
    ready = not any(answers.values())
    return Response(
        {"ready": ready, "checks": {name: answer or "ok" for name, answer in answers.items()}},
        status_code=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE,
    )


@get("/metrics", sync_to_thread=False, include_in_schema=False)
def metrics(centre: Centred) -> Response[bytes]:
    """Numbers in Prometheus' text format."""
    return Response(centre.metrics.text(), media_type=CONTENT_TYPE)
