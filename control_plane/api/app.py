"""The ASGI application: routes, who may call them, how errors are said, what /schema shows."""

from typing import Any, cast

from litestar import Litestar, Request
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from control_plane.api import answers, fleet, ledger, probes, sessions, waiting
from control_plane.api.callers import caller_of
from control_plane.api.centre import Centre
from control_plane.api.front import AsgiApp, Front
from control_plane.tenants.keys import KeyRecord
from heliovox import __version__
from shared.errors import VoiceError

MAX_BODY_BYTES = 16 * 1024
"""Far above the longest request that makes sense."""


def make_front(centre: Centre) -> Front:
    """The application as it is served: what is asked most goes past the framework."""
    return Front(cast("AsgiApp", make_app(centre)), centre, MAX_BODY_BYTES)


def make_app(centre: Centre) -> Litestar:
    """The application; it keeps no state of its own."""

    def who(request: Request[Any, Any, Any]) -> KeyRecord:
        return caller_of(request, centre.keyring())

    return Litestar(
        [
            *(probes.healthz, probes.readyz, probes.metrics),
            *(sessions.place, sessions.listed, sessions.one, sessions.end, sessions.usage),
            *(sessions.resume, sessions.move),
            *(waiting.look, waiting.events, waiting.leave),
            *(fleet.nearest, fleet.regions, fleet.nodes, fleet.drain, fleet.undrain),
            fleet.drained,
            *(fleet.decision, fleet.policies, fleet.bundle, ledger.ledger, ledger.heads),
        ],
        dependencies={
            "centre": Provide(lambda: centre, sync_to_thread=False),
            "who": Provide(who, sync_to_thread=False),
        },
        exception_handlers={
            VoiceError: answers.refused,
            HTTPException: answers.not_http,
            Exception: answers.broken,
        },
        openapi_config=OpenAPIConfig(
            title="Heliovox control plane",
            version=__version__,
            path="/schema",
            render_plugins=[JsonRenderPlugin()],
            components=Components(
                security_schemes={"key": SecurityScheme(type="http", scheme="bearer")}
            ),
        ),
        request_max_body_size=MAX_BODY_BYTES,
        logging_config=None,
    )
