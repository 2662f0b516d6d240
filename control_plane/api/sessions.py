"""/v1/sessions: a seat is asked for, looked at, given back."""

from typing import Annotated, Any

from litestar import Request, Response, delete, get, post
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter

from control_plane.api.admitting import Asked, admit, prefers_line, status_and_headers
from control_plane.api.callers import SECURITY, may_see, require_operator
from control_plane.api.centre import Centred, Who
from control_plane.repeats import HEADER
from control_plane.sessions.row import Row, State
from heliovox.protocol.control import (
    InLine,
    Moved,
    MoveRequest,
    Placed,
    ResumeRequest,
    SessionRequest,
    SessionView,
    UsageView,
)
from shared.errors import NotFound

MOST_LISTED = 1000


@post("/v1/sessions", security=SECURITY)
async def place(
    request: Request[Any, Any, Any],
    data: JSONBody[SessionRequest],
    who: Who,
    centre: Centred,
    idempotency_key: Annotated[str | None, HeaderParameter(name=HEADER)] = None,
    prefer: Annotated[str, HeaderParameter(name="Prefer")] = "",
) -> Response[Placed | InLine]:
    """Where may, and can, this caller's session go? A seat is held there, for a short while.

    202 with a place in line where there is none and the policy calls back, or waits and the request
    says `Prefer: respond-async`. A request that comes
    again with the same Idempotency-Key gets the same answer, and no second seat.
    """
    own = request.client.host if request.client is not None else None
    answer = await admit(centre, who, Asked(data, own, idempotency_key, prefers_line(prefer)))
    status, headers = status_and_headers(answer)
    return Response(answer, status_code=status, headers=headers)


@get("/v1/sessions", security=SECURITY, sync_to_thread=False)
def listed(
    who: Who,
    centre: Centred,
    session_state: Annotated[State | None, QueryParameter(name="state")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=MOST_LISTED)] = 100,
) -> list[SessionView]:
    """The latest sessions, open ones first: one's own, or everybody's for operators."""
    found: list[SessionView] = []
    for row in centre.table.rows():
        if may_see(who, row.tenant) and session_state in (None, row.state):
            found.append(row.view())
            if len(found) == limit:
                break
    return found


@get("/v1/sessions/{session_id:str}", security=SECURITY, sync_to_thread=False)
def one(session_id: FromPath[str], who: Who, centre: Centred) -> SessionView:
    """One session."""
    return _own(session_id, who, centre).view()


@delete("/v1/sessions/{session_id:str}", security=SECURITY)
async def end(session_id: FromPath[str], who: Who, centre: Centred) -> None:
    """Ends a live session, or gives its seat back before it began. Repeating it does no harm."""
    if _own(session_id, who, centre).open:
        await centre.ending.end(session_id)


@post("/v1/sessions/{session_id:str}/resume", security=SECURITY)
async def resume(
    request: Request[Any, Any, Any],
    session_id: FromPath[str],
    data: JSONBody[ResumeRequest],
    who: Who,
    centre: Centred,
) -> Placed:
    """Another node for a session whose own is gone, full or out of reach; by the rules of now.

    For who shows the latest recovery token, and says what was said when the session was opened.
    Asked again at once, it answers with the same seat.
    """
    own = request.client.host if request.client is not None else None
    return await centre.going_on.resume(session_id, data, who, own)


@post("/v1/sessions/{session_id:str}/move", security=SECURITY, status_code=200)
async def move(
    session_id: FromPath[str], data: JSONBody[MoveRequest], who: Who, centre: Centred
) -> Moved:
    """Sends a live session to another node, at its next end of an utterance; operators only.

    A seat is held there before anything is said to anybody. Nothing happens where it cannot be.
    """
    require_operator(who)
    return await centre.moving.move(session_id, data.to)


@get("/v1/usage", security=SECURITY, sync_to_thread=False)
def usage(who: Who, centre: Centred) -> list[UsageView]:
    """What was used, as far back as notes are kept: one's own, or everybody's for operators."""
    return list(centre.usage.lines(None if who.operator else who.tenant))


def _own(session_id: str, who: Who, centre: Centred) -> Row:
    row = centre.table.get(session_id)
    if row is None or not may_see(who, row.tenant):  # others' are as unknown as none
        raise NotFound(
            "no such session",
            field="session",
            value=session_id,
            remedy="a session is known for as long as it is among the latest",
        )
    return row
