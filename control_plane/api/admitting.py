"""POST /v1/sessions, whichever way a request came in."""

from http import HTTPStatus

import msgspec

from control_plane.api.centre import Centre
from control_plane.orders import order_of_request
from control_plane.placing import never
from control_plane.repeats import checked_key
from control_plane.tenants.keys import KeyRecord
from control_plane.waiting.hall import Gone
from heliovox.protocol.control import InLine, Placed, SessionRequest
from shared.clock import wall_ms


class Asked(msgspec.Struct, frozen=True):
    """A request for a session."""

    what: SessionRequest
    own_address: str | None
    """That it came from."""
    key: str | None = None
    """Of its own, by which it is known if it comes again."""
    comes_back: bool = False
    """Whether it prefers a place in line to waiting for its answer (RFC 7240: respond-async)."""
    gone: Gone = never


async def admit(centre: Centre, who: KeyRecord, asked: Asked) -> Placed | InLine:
    """A seat or a place in line. Raises VoiceError."""
    key = checked_key(asked.key)
    order = order_of_request(
        asked.what, who, centre.world(), asked.own_address, centre.fallback(), wall_ms()
    )
    if asked.comes_back:
        order = msgspec.structs.replace(order, comes_back=True)
    if key is None:
        return await centre.placing.place(order, asked.gone)
    return await centre.repeats.once(
        (who.tenant, key), asked.what, lambda: centre.placing.place(order), _lives_s
    )


def status_and_headers(answer: Placed | InLine) -> tuple[HTTPStatus, dict[str, str]]:
    """How HTTP says it."""
    if isinstance(answer, Placed):
        return HTTPStatus.CREATED, {}
    return HTTPStatus.ACCEPTED, {"Location": f"/v1/waiting/{answer.waiting}"}


def prefers_line(prefer: str) -> bool:
    """Whether a `Prefer` header says `respond-async`."""
    wishes = (wish.partition(";")[0].strip().lower() for wish in prefer.split(","))
    return "respond-async" in wishes


def encoded(answer: Placed | InLine) -> bytes:
    """As JSON."""
    return msgspec.json.encode(answer)


def _lives_s(answer: Placed | InLine) -> float:
    """As long as the seat is held, or the order in line: then a repeat is a new request."""
    return answer.expires_s
