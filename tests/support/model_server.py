"""A file server on this machine that stands in for the network, and misbehaves as told."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Faults:
    """What goes wrong, request by request; each list is used up from its front."""

    cut_after: list[int] = field(default_factory=list)
    """Bytes of the body after which the connection is closed."""
    statuses: list[int] = field(default_factory=list)
    """Answered instead of the file."""
    stall_after: list[int] = field(default_factory=list)
    """Bytes after which the server says nothing more until it is closed."""
    ranges: bool = True
    lengths: bool = True
    """Whether Content-Length is sent."""
    lie_about_range: bool = False
    redirect: str | None = None


@dataclass
class ModelServer:
    """Files by name; what was asked for, with its Range header."""

    files: dict[str, bytes]
    faults: Faults = field(default_factory=Faults)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""
    released: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator["ModelServer"]:
        server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Bound", (Handler,), {"model_server": self})
        )
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            self.released.set()
            server.shutdown()
            server.server_close()
            thread.join()


class Handler(BaseHTTPRequestHandler):
    model_server: ModelServer

    def do_GET(self) -> None:
        faults, asked_range = self.model_server.faults, self.headers.get("Range")
        self.model_server.asked.append((self.path, asked_range))
        body = self.model_server.files.get(self.path.rsplit("/", 1)[-1])
        if faults.redirect is not None:
            self.send_response(302)
            self.send_header("Location", faults.redirect)
            self.end_headers()
        elif faults.statuses:
            self.send_error(faults.statuses.pop(0))
        elif body is None:
            self.send_error(404)
        else:
            self._send(body, asked_range if faults.ranges else None)

    def _send(self, body: bytes, asked_range: str | None) -> None:
        start = int(asked_range.removeprefix("bytes=").rstrip("-")) if asked_range else 0
        if start >= len(body) > 0:
            self.send_error(416)
            return
        self.send_response(206 if asked_range else 200)
        if asked_range:
            first = 0 if self.model_server.faults.lie_about_range else start
            self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
        if self.model_server.faults.lengths:
            self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self._write(body[start:])

    def _write(self, rest: bytes) -> None:
        faults = self.model_server.faults
        if faults.stall_after:
            self.wfile.write(rest[: faults.stall_after.pop(0)])
            self.wfile.flush()
            self.model_server.released.wait(30)
        elif faults.cut_after:
            self.wfile.write(rest[: faults.cut_after.pop(0)])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self.wfile.write(rest)

    def log_message(self, *args: object) -> None:
        pass
