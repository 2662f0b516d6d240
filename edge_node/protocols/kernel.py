"""What the kernel may hold for one connection, and for how long."""

import asyncio
import select
import socket as sockets

SEND_BUFFER_BYTES = 256 * 1024
"""In the kernel, for one connection: bounds what a caller who does not read can hold."""
RECEIVE_BUFFER_BYTES = 256 * 1024
"""Likewise for a caller who sends faster than real time: his pings wait behind what is in there, so
more of it would make him take a busy node for a dead one."""
USER_TIMEOUT_MS = 60_000
"""How long the kernel goes on sending to a peer that acknowledges nothing."""

_CLOSED = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR


def bound_buffers(transport: asyncio.Transport) -> None:
    """Bounds what the kernel holds for a caller who reads nothing, or is not there."""
    connection: sockets.socket = transport.get_extra_info("socket")
    connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, SEND_BUFFER_BYTES)
    connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    if hasattr(sockets, "TCP_USER_TIMEOUT"):  # Linux
        connection.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)


def address_of(transport: asyncio.Transport) -> str | None:
    """The IP address at the other end; None for a local socket, or one that is gone."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]).partition("%")[0] if isinstance(peer, tuple) and peer else None


def hung_up(transport: asyncio.BaseTransport) -> bool:
    """Whether the peer has closed its side; unread data in front of that do not hide it."""
    connection = transport.get_extra_info("socket")
    if connection is None or connection.fileno() < 0:
        return transport.is_closing()
    look = select.poll()
    look.register(connection.fileno(), _CLOSED)
    return bool(look.poll(0))
