"""One connection whose socket is read together with others' (see gathering.py)."""

import asyncio
import os
from collections.abc import Callable
from typing import Protocol

from edge_node.protocols.gathering import Gatherer

MOST_READS = 16
"""Of one connection at a look, so that who sends faster than real time holds nobody up for long."""


class Buffered(Protocol):
    """A protocol that is read into, as asyncio's BufferedProtocol is."""

    def get_buffer(self, sizehint: int) -> memoryview:
        """Room for what comes."""
        ...

    def buffer_updated(self, nbytes: int) -> None:
        """So much of it was filled."""
        ...


class GatheredReading:
    """Takes over reading from a transport, and gives it back where there is more than bytes.

    An end of stream or an error is left to the transport: it finds the same once it reads again,
    and knows what follows from it.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        protocol: Buffered,
        gatherer: Gatherer,
        abort: Callable[[], None],
    ) -> None:
        self._transport, self._protocol, self._gatherer = transport, protocol, gatherer
        self.broke = abort
        self._fd: int = transport.get_extra_info("socket").fileno()
        self._reading = False

    def begin(self) -> bool:
        """Takes over, if this connection can be read so."""
        if self._transport.is_closing() or not self._transport.can_write_eof():  # TLS reads itself
            return False
        self._reading = self._gatherer.watch(self._fd, self)
        if self._reading:
            self._transport.pause_reading()
        return self._reading

    def pause(self) -> None:
        """Leaves what comes in the kernel."""
        self._reading = False
        self._gatherer.unwatch(self._fd, self)

    def resume(self) -> None:
        """Reads on."""
        if not self._reading and not self._transport.is_closing():
            self._reading = self._gatherer.watch(self._fd, self)
            if not self._reading:
                self._transport.resume_reading()

    def give_back(self) -> None:
        """The transport reads from here on."""
        self.pause()
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def read(self) -> None:
        """Everything that has come, up to a limit."""
        for _ in range(MOST_READS):
            if not self._reading or self._transport.is_closing():
                return
            room = self._protocol.get_buffer(-1)
            size, came = len(room), self._fill(room)
            if came <= 0:
                if came == 0:
                    self.give_back()
                return
            self._protocol.buffer_updated(came)
            if came < size:
                return

    def _fill(self, room: memoryview) -> int:
        """Bytes read; 0 at an end or an error, -1 where nothing is there."""
        try:
            return os.readv(self._fd, [room])
        except BlockingIOError:
            return -1
        except OSError:
            return 0
