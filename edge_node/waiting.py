"""What a caller has sent before it is decided where he may speak: held, and not looked at."""

from collections.abc import Callable

from heliovox.protocol import messages as wire
from heliovox.protocol.control import InLine
from shared.errors import TooBig

MOST_BYTES = 2 << 20
"""What may come in one read behind `start`: nothing more is read, so this is a second fence."""
_OVERHEAD_BYTES = 64  # an empty message is not free


class Waiting:
    """Messages in order."""

    def __init__(self) -> None:
        self._messages: list[Callable[[], None]] = []
        self._bytes = 0

    def hold(self, message: Callable[[], None], size_bytes: int) -> None:
        """Keeps one. Raises TooBig."""
        self._bytes += size_bytes + _OVERHEAD_BYTES
        if self._bytes > MOST_BYTES:
            raise TooBig(
                "too much was sent before the session was open",
                field="message",
                value=self._bytes,
                remedy="wait for `started`",
            )
        self._messages.append(message)

    def let_go(self) -> None:
        """Hands all of them on, in order."""
        for message in self._messages:
            message()
        self._messages.clear()


def waiting_of(in_line: InLine) -> wire.Waiting:
    """A place in line, as its caller is told of it."""
    estimate = in_line.estimate
    if estimate is None:
        return wire.Waiting(in_line.position, in_line.expires_s, in_line.version)
    return wire.Waiting(
        position=in_line.position,
        expires_s=in_line.expires_s,
        version=in_line.version,
        low_s=estimate.low_s,
        high_s=estimate.high_s,
        confidence=estimate.confidence,
        chance=estimate.chance,
        source=estimate.based_on.source,
        sessions=estimate.based_on.sessions,
    )
