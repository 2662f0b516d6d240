"""What a socket and a conversation are to each other: plain calls, nothing queued in between."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from shared.errors import VoiceError


class Peer(Protocol):
    """The caller, as a conversation sees him. Every call returns at once and never raises."""

    def send_text(self, data: bytes) -> None:
        """One text message, UTF-8. Ignored once the peer is closed or gone."""
        ...

    def send_audio(self, data: bytes) -> None:
        """One binary message. Ignored once the peer is closed or gone."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Ends the connection after what was sent; idempotent."""
        ...

    def pause_reading(self) -> None:
        """Leaves what comes next in the kernel, so that TCP slows the caller down; idempotent."""
        ...

    def resume_reading(self) -> None:
        """Reads on; idempotent."""
        ...

    def hung_up(self) -> bool:
        """Whether he is gone, also where he is not read from."""
        ...


class Conversation(Protocol):
    """One caller's session, as a socket sees it. Every call returns at once and never raises."""

    def text(self, data: bytes) -> None:
        """A whole text message, valid UTF-8."""
        ...

    def audio(self, data: bytes) -> None:
        """A whole binary message."""
        ...

    def refuse(self, error: VoiceError) -> None:
        """The shell found something wrong: tell the caller and close."""
        ...

    def writable(self, yes: bool) -> None:  # noqa: FBT001 a state, not an option
        """Whether the caller takes what is sent; False asks to send less."""
        ...

    def lost(self, *, goodbye: bool = False) -> None:
        """The connection is gone; called once, last.

        Args:
            goodbye: the caller closed it in order, or has read to the end what he was told.
        """
        ...

    def drain(self, deadline_ms: int) -> None:
        """The node will stop: end until the deadline."""
        ...

    def drain_over(self, reason: str = "draining") -> None:
        """The node stops now: say what is left and end."""
        ...

    def tick(self, now_s: float) -> None:
        """About once a second."""
        ...


@dataclass(frozen=True, slots=True)
class Shown:
    """What a caller has shown to be let in. A ticket counts before a key."""

    key: str | None = None
    ticket: str | None = None
    address: str | None = None
    """The IP address that he came from, where it is one."""

    @property
    def nothing(self) -> bool:
        """Whether `start` must still show something."""
        return self.key is None and self.ticket is None

    def completed(self, *, key: str | None, ticket: str | None) -> "Shown":
        """With what came by a later way, for whatever no earlier one carried."""
        return Shown(
            key if self.key is None else self.key,
            ticket if self.ticket is None else self.ticket,
            self.address,
        )


ConversationFactory = Callable[[Peer, Shown], Conversation]
"""Makes a conversation for a peer, with what the handshake carried; it was found good there."""
