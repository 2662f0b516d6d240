"""What the centre tells nodes to do."""

from http import HTTPStatus

import msgspec

from control_plane.sessions.row import Copy
from shared.bus import Bus
from shared.errors import BusFailed, VoiceError
from shared.exchange import Command, CommandDone, MoveTo
from shared.subjects import command

EPOCH = 1
"""There is no leader among control planes yet, so all of them command in one epoch."""
ANSWER_S = 1.0


class CommandRefused(VoiceError):
    """The node answered that it will not, or cannot."""

    code = "command_refused"
    http_status = HTTPStatus.CONFLICT


class Commands:
    """Sends commands and waits for the answer."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def drain(self, region: str, node: str, *, on: bool) -> None:
        """No new sessions, or new ones again. Raises BusFailed, CommandRefused."""
        await self._send(region, node, Command("drain" if on else "undrain", EPOCH))

    async def end(self, region: str, node: str, session: str) -> None:
        """Ends a live session. Raises BusFailed, CommandRefused."""
        await self._send(region, node, Command("end_session", EPOCH, session=session))

    async def release(self, region: str, node: str, session: str, reservation: str | None) -> None:
        """Gives a held seat back. Raises BusFailed, CommandRefused."""
        await self._send(region, node, Command("release", EPOCH, session, reservation))

    async def move(self, region: str, node: str, session: str, to: MoveTo) -> None:
        """Sends a live session to another node. Raises BusFailed, CommandRefused."""
        await self._send(region, node, Command("move", EPOCH, session=session, move=to))

    async def give_up(self, copy: Copy) -> None:
        """Nothing is left of a session that goes on elsewhere. Raises BusFailed, CommandRefused."""
        what = Command(
            "give_up",
            EPOCH,
            session=copy.session,
            through_sample=copy.through_sample,
            number=copy.number,
        )
        await self._send(copy.region, copy.node, what)

    async def _send(self, region: str, node: str, what: Command) -> None:
        data = await self._bus.request(
            command(region, node), msgspec.json.encode(what), timeout_s=ANSWER_S
        )
        try:
            done = msgspec.json.decode(data, type=CommandDone)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BusFailed(f"{node} answered nonsense", field="node", value=node) from error
        if not done.ok:
            raise CommandRefused(done.message or f"{node} did not do it", field="node", value=node)
