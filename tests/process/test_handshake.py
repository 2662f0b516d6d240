"""Who may open a WebSocket, over real sockets."""

import json
import socket
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.support.raw import RawCaller, upgrade_request
from tests.support.running_node import RunningNode
from tests.support.talk import opened, refusal, start

pytestmark = pytest.mark.process


def refused(node: RunningNode, **options: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(InvalidStatus) as status:
        node.call(**options).close()
    response = status.value.response
    assert response.headers["Content-Type"] == "application/problem+json"
    return response.status_code, json.loads(response.body or b"{}")


def test_a_key_in_the_header(node: RunningNode) -> None:
    with node.call() as caller:
        assert opened(caller)["node"] == "n-1"


def test_a_key_beside_the_version(node: RunningNode) -> None:
    offers: Any = ["heliovox.v1", f"heliovox.key.{node.key}"]
    with node.call(key=None, subprotocols=offers) as caller:
        assert caller.subprotocol == "heliovox.v1"
        assert opened(caller)["version"] == 1


def test_a_key_in_start(node: RunningNode) -> None:
    with node.call(key=None) as caller:
        assert opened(caller, key=node.key)["kind"] == "recognition"


def test_an_unknown_key_in_the_header(node: RunningNode) -> None:
    status, problem = refused(node, key="hvk_wrong")
    assert (status, problem["code"], problem["field"]) == (401, "unauthorised", "key")


def test_an_unknown_key_beside_the_version(node: RunningNode) -> None:
    offers: Any = ["heliovox.v1", "heliovox.key.wrong"]
    assert refused(node, key=None, subprotocols=offers)[0] == 401


@pytest.mark.parametrize("fields", [{}, {"key": "hvk_wrong"}, {"key": ""}])
def test_no_key_or_an_unknown_one_in_start(node: RunningNode, fields: dict[str, str]) -> None:
    with node.call(key=None) as caller:
        caller.send(start(**fields))
        assert refusal(caller) == ("unauthorised", 4401)


def test_only_unknown_versions(node: RunningNode) -> None:
    offers: Any = ["heliovox.v7"]
    status, problem = refused(node, subprotocols=offers)
    assert status == 400
    assert "heliovox.v1" in problem["remedy"]


def test_another_path(node: RunningNode) -> None:
    with RawCaller(node.port, upgrade_request(node.key, path="/v2/stream")) as caller:
        assert caller.status() == 404


def test_headers_as_some_browsers_send_them(node: RunningNode) -> None:
    request = upgrade_request(node.key).replace(
        b"Connection: Upgrade", b"Connection: keep-alive, Upgrade"
    )
    with RawCaller(node.port, request) as caller:
        assert caller.status() == 101


def test_what_follows_the_request_at_once_is_not_lost(node: RunningNode) -> None:
    with RawCaller(
        node.port, upgrade_request(node.key), frames=[(0x81, start().encode())]
    ) as caller:
        assert caller.status() == 101
        assert json.loads(caller.frame()[1])["type"] == "started"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),  # TLS to a plain port
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 100 + b"\xff\xff\r\n\r\n",
        b"hello, is anybody there?\r\n\r\n",
    ],
)
def test_what_is_not_http(node: RunningNode, request_bytes: bytes) -> None:
    with RawCaller(node.port, request_bytes) as caller:
        assert caller.status() == 400


@pytest.mark.parametrize(
    "head",
    [b"GET /" + b"a" * 100_000, b"GET / HTTP/1.1\r\n" + b"A: " + b"b" * 100_000],
)
def test_headers_without_end(node: RunningNode, head: bytes) -> None:
    with RawCaller(node.port, head) as caller:
        assert caller.status() == 413


def test_only_get_becomes_a_websocket(node: RunningNode) -> None:
    request = upgrade_request(node.key).replace(b"GET ", b"PUT ")
    with RawCaller(node.port, request) as caller:
        assert caller.status() == 400


def test_a_broken_upgrade(node: RunningNode) -> None:
    request = upgrade_request(node.key).replace(
        b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 8"
    )
    with RawCaller(node.port, request) as caller:
        assert caller.status() == 400


def test_the_node_is_still_well(node: RunningNode) -> None:
    with socket.create_connection(("127.0.0.1", node.port)) as vanishing:
        vanishing.sendall(b"GET /v1/stream HT")
    assert node.get("/readyz")[0] == 200
