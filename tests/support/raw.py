"""A caller who writes his own bytes."""

import socket
import struct
from collections.abc import Sequence
from types import TracebackType
from typing import Self

LIMIT_S = 20.0
MASK = b"\x01\x02\x03\x04"


def upgrade_request(key: str, path: str = "/v1/stream") -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: node\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\n"
        f"Authorization: Bearer {key}\r\n\r\n"
    ).encode()


def frame(first_byte: int, payload: bytes, *, masked: bool = True) -> bytes:
    """One frame; `first_byte` holds fin, reserved bits and the opcode."""
    size = len(payload)
    bit = 0x80 if masked else 0
    if size < 126:
        head = struct.pack("!BB", first_byte, bit | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", first_byte, bit | 126, size)
    else:
        head = struct.pack("!BBQ", first_byte, bit | 127, size)
    if not masked:
        return head + payload
    stretched = (MASK * (size // 4 + 1))[:size]
    mixed = int.from_bytes(payload, "big") ^ int.from_bytes(stretched, "big")
    return head + MASK + mixed.to_bytes(size, "big")


class RawCaller:
    """A TCP connection that has said `request`, and these frames right after it."""

    def __init__(self, port: int, request: bytes, frames: Sequence[tuple[int, bytes]] = ()) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)
        self._kept = b""
        self.socket.sendall(request + b"".join(frame(first, data) for first, data in frames))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()

    def status(self) -> int:
        """Of the answer; what follows its headers is kept."""
        while b"\r\n\r\n" not in self._kept:
            self._more()
        head, self._kept = self._kept.split(b"\r\n\r\n", 1)
        return int(head.split(b" ")[1])

    def frame(self) -> tuple[int, bytes]:
        """The opcode and payload of the next frame from the node."""
        first, size = self._take(2)
        if size == 126:
            (size,) = struct.unpack("!H", self._take(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._take(8))
        return first & 0xF, self._take(size)

    def frames_to_close(self) -> tuple[list[tuple[int, bytes]], int]:
        """Every frame up to the node's close frame, and its code."""
        frames: list[tuple[int, bytes]] = []
        while True:
            opcode, payload = self.frame()
            if opcode == 8:
                return frames, int.from_bytes(payload[:2], "big")
            frames.append((opcode, payload))

    def send(self, first_byte: int, payload: bytes, *, masked: bool = True) -> None:
        self.socket.sendall(frame(first_byte, payload, masked=masked))

    def ended(self) -> bool:
        """Whether the node closes the connection; what it still says is skipped."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionResetError:
            return True
        return True

    def _take(self, size: int) -> bytes:
        while len(self._kept) < size:
            self._more()
        taken, self._kept = self._kept[:size], self._kept[size:]
        return taken

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError("the node closed the connection")
        self._kept += data
