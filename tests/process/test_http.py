"""Plain HTTP."""

import io
import json
import wave
from typing import Any
from urllib.request import urlopen

import pytest

from tests.support.running_node import RunningNode

pytestmark = pytest.mark.process


def refused(node: RunningNode, body: Any, key: str | None = "") -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, answer = node.post("/v1/speech", data, key)
    problem = json.loads(answer)
    assert problem["status"] == status
    assert problem["detail"]
    return status, problem


def test_a_wav_stream(node: RunningNode) -> None:
    status, audio = node.post("/v1/speech", b'{"text": "hello world"}')
    assert status == 200
    with wave.open(io.BytesIO(audio)) as reader:
        assert (reader.getframerate(), reader.getsampwidth()) == (16000, 2)
    assert len(audio) == 44 + 2 * 640 * len("hello world ")


def test_raw_audio_in_another_format(node: RunningNode) -> None:
    body = {"text": "hello", "format": "raw", "output": {"encoding": "mulaw", "sample_rate": 8000}}
    status, audio = node.post("/v1/speech", json.dumps(body).encode())
    assert (status, len(audio)) == (200, 320 * len("hello "))


@pytest.mark.parametrize("key", [None, "", "hvk_wrong"])
def test_speech_needs_a_key(node: RunningNode, key: str | None) -> None:
    shown = "hvk_" if key == "" else key
    status, problem = refused(node, {"text": "hello"}, shown)
    assert (status, problem["code"]) == (401, "unauthorised")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"text": ""}, 422, "text"),
        ({"text": "   "}, 422, "text"),
        ({"text": "\u2603"}, 422, "text"),
        ({"text": "a" * 5001}, 413, "text"),
        ({"text": "a", "voice": "nobody"}, 422, "voice"),
        ({"text": "a", "speed": 9}, 422, "speed"),
        ({"text": "a", "output": {"encoding": "mulaw", "sample_rate": 16000}}, 422, None),
        ({"text": "a", "output": {"encoding": "mp3"}}, 422, "output.encoding"),
        ({"text": "a", "format": "mp3"}, 400, "format"),
        ({"text": 5}, 400, "text"),
        ({"text": "a", "output": {"sample_rate": "fast"}}, 400, "output.sample_rate"),
        ({}, 400, "text"),
        ([], 400, "body"),
        (b"", 400, "body"),
        (b"{", 400, None),
        (b"\xff\xfe", 400, None),
        (b'{"text": "' + b"a" * 300_000 + b'"}', 413, None),
    ],
)
def test_what_cannot_be_said(node: RunningNode, body: Any, status: int, field: str | None) -> None:
    got, problem = refused(node, body)
    assert got == status
    if status in {400, 413}:
        assert problem["code"] == {400: "invalid_message", 413: "too_big"}[status]
    if field is not None:
        assert problem["field"] == field
    if status == 422:
        assert problem["remedy"]


def test_an_unknown_path_and_a_wrong_method(node: RunningNode) -> None:
    assert node.get("/v1/nothing")[0] == 404
    assert node.post("/healthz", b"")[0] == 405
    assert node.get("/v1/speech")[0] == 405


def test_readiness_names_every_part(node: RunningNode) -> None:
    status, body = node.get("/readyz")
    assert status == 200
    checks = json.loads(body)["checks"]
    assert set(checks) == {"recogniser", "speech", "admission"}
    assert set(checks.values()) == {"ok"}


def test_metrics_name_nobody(node: RunningNode) -> None:
    status, text = node.get("/metrics")
    assert status == 200
    assert b"heliovox_edge_streams_limit 64.0" in text
    assert node.key.encode() not in text
    assert b"127.0.0.1" not in text
    with urlopen(node.url + "/metrics") as answer:
        assert answer.headers.get_all("Content-Type") == [
            "text/plain; version=0.0.4; charset=utf-8"
        ]


def test_the_schema_describes_speech(node: RunningNode) -> None:
    status, body = node.get("/schema")
    assert status == 200
    schema = json.loads(body)
    assert set(schema["paths"]) >= {"/v1/speech", "/healthz", "/readyz"}


def test_logs_hold_no_key_no_words_and_no_address(node: RunningNode) -> None:
    node.get(f"/healthz?key={node.key}")
    node.post("/v1/speech", b'{"text": "unmistakable"}')
    log = node.log.read_text()
    assert "/healthz" in log
    for secret in (node.key, "unmistakable", "127.0.0.1"):
        assert secret not in log
