"""What the kernel knows of a peer who is not read from."""

import asyncio
import socket

import pytest

from edge_node.protocols.kernel import hung_up
from tests.support.fleet import until


@pytest.mark.parametrize("how", ["close", "shutdown", "reset"])
def test_a_peer_who_hangs_up_behind_unread_data_is_noticed(how: str) -> None:
    async def go() -> None:
        made: asyncio.Queue[asyncio.Transport] = asyncio.Queue()

        class Silent(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                assert isinstance(transport, asyncio.Transport)
                transport.pause_reading()
                made.put_nowait(transport)

        server = await asyncio.get_running_loop().create_server(Silent, "127.0.0.1", 0)
        peer = socket.create_connection(server.sockets[0].getsockname())
        transport = await made.get()
        peer.sendall(bytes(1000))
        assert not hung_up(transport)
        if how == "shutdown":
            peer.shutdown(socket.SHUT_WR)
        else:
            if how == "reset":
                linger = (1).to_bytes(4, "little") + bytes(4)
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            peer.close()
        await until(lambda: hung_up(transport))
        transport.abort()
        await until(lambda: hung_up(transport))
        server.close()
        await server.wait_closed()
        peer.close()

    asyncio.run(go())
