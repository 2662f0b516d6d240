"""Another node for a session whose own is gone, full or out of reach, for its caller."""

import hashlib
from collections import Counter
from collections.abc import Callable

from msgspec.structs import replace

from control_plane.orders import Continued, order_of_request
from control_plane.placing import Placer
from control_plane.repeats import Repeats
from control_plane.sessions.resuming import as_opened, check_request, check_token
from control_plane.sessions.row import Row
from control_plane.sessions.table import SessionTable
from control_plane.tenants.keys import KeyRecord
from control_plane.world import WorldNow
from heliovox.protocol.control import Placed, ResumeRequest
from heliovox.protocol.messages import Place
from shared.clock import Clock, wall_ms
from shared.errors import VoiceError

AGAIN_S = 5.0
"""Who lost the answer asks again by then. Later it was the way to the node that was lost, and the
ticket may be used: another seat is found, there or elsewhere, and this one given back."""


class GoingOn:
    """Finds seats for sessions that go on elsewhere. By the policies of now, whatever let them in.

    Args:
        table: of all sessions.
        placer: decides and asks nodes.
        clock: by which answers are remembered.
        world: of now.
        fallback: where a caller is taken to be who cannot be found.
    """

    def __init__(
        self,
        table: SessionTable,
        placer: Placer,
        clock: Clock,
        world: Callable[[], WorldNow],
        fallback: Callable[[], Place | None],
    ) -> None:
        self._table, self._placer = table, placer
        self._world, self._fallback = world, fallback
        self._repeats: Repeats[Placed] = Repeats(clock)
        self.outcomes: Counter[str] = Counter()
        """Requests by what became of them: `placed`, or a refusal's code."""

    async def resume(
        self, session: str, asked: ResumeRequest, who: KeyRecord, own_address: str | None
    ) -> Placed:
        """A seat, held, for the same session. Raises VoiceError.

        Who asks the same again, since the answer was lost, gets the same seat.
        """
        try:
            placed = await self._resume(session, asked, who, own_address)
        except VoiceError as error:
            self.outcomes[error.code] += 1
            raise
        self.outcomes["placed"] += 1
        return placed

    async def _resume(
        self, session: str, asked: ResumeRequest, who: KeyRecord, own_address: str | None
    ) -> Placed:
        now_ms = wall_ms()
        row = check_token(self._table.get(session), who.tenant, asked, now_ms)
        request = as_opened(row, asked.request)
        order = order_of_request(request, who, self._world(), own_address, self._fallback(), now_ms)
        check_request(row, order)
        goes_on = _continued(row, asked.without)
        order = replace(order, may_wait=False, continued=goes_on)
        digest = hashlib.sha256(asked.token.encode()).hexdigest()
        return await self._repeats.once(
            (session, digest, asked.without),
            request,
            lambda: self._placer.attempt(order),
            lambda placed: min(placed.expires_s, AGAIN_S),
        )


def _continued(row: Row, without: tuple[str, ...]) -> Continued:
    return Continued(
        session=row.session,
        number=row.recovery_number,
        because="resumed",
        came_from=row.node,
        without=without,
        home=row.home,
    )
