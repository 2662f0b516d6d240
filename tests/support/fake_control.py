"""A control plane that answers what a test wrote down, and remembers what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from heliovox.protocol.control import Placed

Answer = tuple[int, Any] | Callable[[], tuple[int, Any]]


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    authorization: str | None
    body: Any


@dataclass
class FakeControl:
    """`answers` by `METHOD path`, the query left out."""

    answers: dict[str, Answer]
    url: str = ""
    asked: list[Asked] = field(default_factory=list)

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        self.asked.append(asked)
        found = self.answers.get(f"{asked.method} {asked.path.split('?')[0]}")
        if found is None:
            return 404, json.dumps({"code": "not_found", "detail": "nothing here"}).encode()
        status, body = found() if callable(found) else found
        return status, body if isinstance(body, bytes) else msgspec.json.encode(body)


def placed(url: str, ticket: str = "t-1", **fields: Any) -> Placed:
    whole: dict[str, Any] = {
        "session": "s-1",
        "node": "eu-central-1",
        "region": "eu-central",
        "url": url,
        "ticket": ticket,
        "expires_s": 30.0,
        "decision": "c-1",
        "policy": "eu-only",
        "policy_version": "v1",
        "home_region": "eu-central",
        "overflow": False,
        "reasons": ("nearest_allowed",),
        "rtt_ms": 12.0,
    }
    return Placed(**(whole | fields))


@contextmanager
def fake_control(answers: dict[str, Answer]) -> Iterator[FakeControl]:
    fake = FakeControl(answers)

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            asked = Asked(self.command, self.path, self.headers.get("Authorization"), body)
            status, answer = fake.answer(asked)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815 http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        fake.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()
