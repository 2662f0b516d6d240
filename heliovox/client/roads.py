"""The ways back to a session: to its node, to where it sends us, to where a centre places it."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from websockets.asyncio.client import ClientConnection

from heliovox.client.address import stream_url
from heliovox.client.connecting import open_socket
from heliovox.client.errors import NodeMisbehaved
from heliovox.client.limits import Limits
from heliovox.protocol.control import Placed, ResumeRequest


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect, and what to show there."""

    url: str
    authorization: str | None
    by_ticket: bool = False

    @property
    def secure(self) -> bool:
        """Whether nobody reads along."""
        return self.url.startswith("wss:")


def by_ticket(url: str, ticket: str, sent_by: str) -> Target:
    """Where somebody sends us. Raises NodeMisbehaved for an address that we do not go to."""
    try:
        target = Target(stream_url(url), f"Ticket {ticket}", by_ticket=True)
    except ValueError as error:
        raise NodeMisbehaved(f"{sent_by} sends to an address that is none: {error}") from error
    if sent_by.startswith(("wss:", "https:")) and not target.secure:
        raise NodeMisbehaved(f"{sent_by} sends to {target.url}, where speech would be readable")
    return target


@dataclass(frozen=True, slots=True)
class Wires:
    """How every connection of a client is made."""

    tls: ssl.SSLContext | None
    proxy: str | Literal[True] | None
    limits: Limits

    async def connect(self, target: Target, within_s: float | None = None) -> ClientConnection:
        """A connection on which nothing was said yet.

        Args:
            target: where.
            within_s: None takes the limit for opening.

        Raises:
            ClientError: as `open_socket`.
        """
        limits = self.limits if within_s is None else replace(self.limits, open_s=within_s)
        return await open_socket(
            target.url,
            target.authorization,
            tls=self.tls if target.secure else None,
            proxy=self.proxy,
            limits=limits,
        )


class Resumes(Protocol):
    """Whoever finds another node for a session: a control plane."""

    url: str

    async def resume(self, session_id: str, asked: ResumeRequest) -> Placed:
        """A seat that is held, or Refused."""
        ...


Centres = Callable[[str | None], Resumes | None]
"""The control plane to ask: the one that placed the session, or else the one at an address."""


class Roads:
    """Of one session.

    Args:
        wires: how to connect.
        key: what shows who calls, where no ticket does.
        target: its node.
        centres: who finds another one.
    """

    def __init__(self, wires: Wires, key: str | None, target: Target, centres: Centres) -> None:
        self._wires, self._key, self._centres = wires, key, centres
        self.target = target

    async def here(self) -> ClientConnection:
        """To the node where the session is, with the caller's key."""
        target = Target(self.target.url, self._key)
        return await self._wires.connect(target, self._wires.limits.reach_s)

    async def there(self, url: str, ticket: str, sent_by: str | None = None) -> ClientConnection:
        """To a node that holds a seat. Where it takes the session, say so by `settle`."""
        target = by_ticket(url, ticket, sent_by or self.target.url)
        return await self._wires.connect(target, self._wires.limits.reach_s)

    def settle(self, url: str) -> None:
        """The session is at this node now."""
        self.target = Target(stream_url(url), None)

    def centre(self, url: str | None) -> Resumes | None:
        """Who finds another node.

        Args:
            url: of the control plane that the node named. It is not asked where the node is reached
                by TLS and it is not: it would be sent the caller's key.
        """
        if url is not None and self.target.secure and not url.startswith("https:"):
            url = None
        return self._centres(url)
