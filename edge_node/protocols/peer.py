"""The far end of a connection, as a conversation sees it."""

from typing import Protocol


class Peer(Protocol):
    """Sends without waiting; the socket's shell says through `writable` when to stop."""

    def send_text(self, data: bytes) -> None:
        """A text message, UTF-8."""
        ...

    def send_audio(self, data: bytes) -> None:
        """A binary message."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Closes after what was sent. Idempotent."""
        ...

    def pause_reading(self) -> None:
        """Leaves what comes on the wire. Idempotent."""
        ...

    def resume_reading(self) -> None:
        """Reads again. Idempotent."""
        ...
