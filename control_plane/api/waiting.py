"""/v1/waiting: an order that stays in line under a policy that calls back."""

from typing import Annotated

from litestar import MediaType, Response, delete, get
from litestar.params import FromPath, QueryParameter

from control_plane.api.admitting import encoded
from control_plane.api.callers import SECURITY
from control_plane.api.centre import Centred, Who
from heliovox.protocol.control import Placed

LONGEST_S = 30.0
"""Of one look. Shorter than what stands between us and a caller waits for."""


@get("/v1/waiting/{waiting:str}", security=SECURITY)
async def look(
    waiting: FromPath[str],
    who: Who,
    centre: Centred,
    wait_s: Annotated[float, QueryParameter(ge=0, le=LONGEST_S)] = 0.0,
) -> Response[bytes]:
    """200 with the seat, held from the moment it was got; 202 while there is none; or the refusal.

    Waits up to `wait_s` for there to be something to say.
    """
    found = await centre.placing.look(waiting, who.tenant, wait_s)
    return Response(
        encoded(found),
        status_code=200 if isinstance(found, Placed) else 202,
        media_type=MediaType.JSON,
    )


@delete("/v1/waiting/{waiting:str}", security=SECURITY)
async def leave(waiting: FromPath[str], who: Who, centre: Centred) -> None:
    """Leaves the line; a seat that is held by now is given back."""
    await centre.placing.leave(waiting, who.tenant)
