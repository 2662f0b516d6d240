"""/v1/waiting: an order that stays in line while its caller comes and goes."""

from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from litestar import MediaType, Response, delete, get
from litestar.params import FromPath, QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from control_plane.api.admitting import encoded
from control_plane.api.callers import SECURITY
from control_plane.api.centre import Centre, Centred, Who
from heliovox.protocol.control import InLine, Placed
from shared.errors import VoiceError
from shared.problem import encode_problem, problem

LONGEST_S = 30.0
"""Of one look. Shorter than what stands between us and a caller waits for."""
ALIVE_S = 15.0
"""Between two events at most, so that whatever stands between us sees life."""


@get("/v1/waiting/{waiting:str}", security=SECURITY)
async def look(
    waiting: FromPath[str],
    who: Who,
    centre: Centred,
    wait_s: Annotated[float, QueryParameter(ge=0, le=LONGEST_S)] = 0.0,
    after: Annotated[int | None, QueryParameter(ge=0)] = None,
) -> Response[bytes]:
    """200 with the seat, held from the moment it was got; 202 while there is none; or the refusal.

    Waits up to `wait_s` for there to be something to say: the end, and with `after` also a version
    of the place in line beyond that one.
    """
    found = await centre.placing.look(waiting, (who.tenant,), wait_s, after)
    return Response(
        encoded(found),
        status_code=200 if isinstance(found, Placed) else 202,
        media_type=MediaType.JSON,
    )


@get("/v1/waiting/{waiting:str}/events", security=SECURITY)
async def events(waiting: FromPath[str], who: Who, centre: Centred) -> ServerSentEvent:
    """The same as server-sent events: `in_line` with every change, then `placed` or `error`."""
    first = await centre.placing.look(waiting, (who.tenant,), 0.0)
    return ServerSentEvent(_told(centre, waiting, (who.tenant,), first))


@delete("/v1/waiting/{waiting:str}", security=SECURITY)
async def leave(waiting: FromPath[str], who: Who, centre: Centred) -> None:
    """Leaves the line; a seat that is held by now is given back."""
    await centre.placing.leave(waiting, (who.tenant,))


async def _told(
    centre: Centre, waiting: str, owner: tuple[str, ...], said: Placed | InLine
) -> AsyncIterator[ServerSentEventMessage]:
    while isinstance(said, InLine):
        yield _event("in_line", msgspec.json.encode(said))
        try:
            said = await centre.placing.look(waiting, owner, ALIVE_S, said.version)
        except VoiceError as error:
            yield _event("error", encode_problem(problem(error)))
            return
    yield _event("placed", msgspec.json.encode(said))


def _event(name: str, data: bytes) -> ServerSentEventMessage:
    return ServerSentEventMessage(data=data.decode(), event=name)
