"""One benchmark caller: sends audio at the pace of speech and notes when everything happened."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from heliovox.protocol import codec
from heliovox.protocol import messages as wire

RATE = 16000


@dataclass
class Log:
    """What one caller saw; times are seconds of the monotonic clock."""

    connect_s: float = 0.0
    started_s: float = 0.0
    finished_s: float = 0.0
    sent: list[tuple[int, float]] = field(default_factory=list)
    """Position after each packet, and when it was sent."""
    messages: list[tuple[float, Any]] = field(default_factory=list)
    flushes: dict[str, float] = field(default_factory=dict)

    def sent_s(self, sample: int) -> float:
        """When the packet that holds a sample was sent."""
        return next((at for end, at in self.sent if end >= sample), self.sent[-1][1])


class Caller(WSListener):  # type: ignore[misc]
    """A session over picows, so that the load costs the machine little."""

    def __init__(self) -> None:
        self.log = Log()
        self.started = asyncio.Event()
        self.over = asyncio.Event()
        self.transport: WSTransport | None = None

    async def open(self, url: str, key: str, **start: Any) -> None:
        """Connects and waits for `started`."""
        self.log.connect_s = time.monotonic()
        await ws_connect(lambda: self, url, extra_headers={"Authorization": f"Bearer {key}"})
        self.say(wire.Start(**start))
        async with asyncio.timeout(30):
            await self.started.wait()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif frame.msg_type == WSMsgType.TEXT:
            self._message(codec.decode_server(frame.get_payload_as_bytes()))

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.over.set()
        self.started.set()

    def _message(self, message: Any) -> None:
        now_s = time.monotonic()
        if isinstance(message, wire.Started):
            self.log.started_s = now_s
            self.started.set()
        self.log.messages.append((now_s, message))
        if isinstance(message, wire.Final):
            self.say(wire.Ack(message.seq))

    def say(self, message: Any) -> None:
        assert self.transport is not None
        self.transport.send(WSMsgType.TEXT, codec.encode(message))

    async def stream(
        self, audio: bytes, packet_ms: int, *, delay_s: float = 0.0, flush_every_s: float = 0.0
    ) -> None:
        """Sends PCM16 at 16 kHz in real time."""
        assert self.transport is not None
        step, began_s = RATE * packet_ms // 1000 * 2, time.monotonic() + delay_s
        flush_at_s = flush_every_s
        for number, begin in enumerate(range(0, len(audio), step)):
            await asyncio.sleep(max(0.0, began_s + number * packet_ms / 1000 - time.monotonic()))
            self.transport.send(WSMsgType.BINARY, audio[begin : begin + step])
            now_s = time.monotonic()
            self.log.sent.append((min(begin + step, len(audio)) // 2, now_s))
            if flush_every_s and now_s - began_s >= flush_at_s:
                flush_at_s += flush_every_s
                self.log.flushes[str(number)] = now_s
                self.say(wire.Flush(str(number)))

    async def finish(self) -> None:
        """Waits for the last words and the end."""
        self.log.finished_s = time.monotonic()
        self.say(wire.Finish())
        async with asyncio.timeout(30):
            await self.over.wait()
