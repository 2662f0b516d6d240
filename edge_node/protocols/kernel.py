"""What the kernel may hold for one connection, and for how long."""

import asyncio
import socket as sockets

SEND_BUFFER_BYTES = 256 * 1024
"""In the kernel, for one connection: bounds what a caller who does not read can hold."""
RECEIVE_BUFFER_BYTES = 256 * 1024
"""Likewise for a caller who sends faster than real time: his pings wait behind what is in there, so
more of it would make him take a busy node for a dead one."""
USER_TIMEOUT_MS = 60_000
"""How long the kernel goes on sending to a peer that acknowledges nothing."""


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
