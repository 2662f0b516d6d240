"""What tests say to a node and hear from it, over the synchronous client."""

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from edge_node.stt.scripted import script_audio
from heliovox.protocol.audio import AudioFormat
from shared.audio import encode

LIMIT_S = 20.0
LOOK_S = 0.05
FINISH = '{"type":"finish"}'


def start(**fields: Any) -> str:
    return json.dumps({"type": "start", **fields})


def pcm(samples: NDArray[np.float32]) -> bytes:
    return encode(AudioFormat(), samples)


def spoken(text: str) -> bytes:
    """PCM16 at 16 kHz that the scripted recogniser hears as `text`."""
    return pcm(script_audio(text))


def rest(connection: ClientConnection) -> list[Any]:
    """Every message until the connection closes; audio as bytes."""
    heard: list[Any] = []
    try:
        while True:
            message = connection.recv(timeout=LIMIT_S)
            heard.append(json.loads(message) if isinstance(message, str) else message)
    except ConnectionClosed:
        return heard


def until(connection: ClientConnection, kind: str) -> list[dict[str, Any]]:
    """Text messages up to the first of `kind`."""
    heard: list[dict[str, Any]] = []
    while not heard or heard[-1]["type"] != kind:
        message = connection.recv(timeout=LIMIT_S)
        if isinstance(message, str):
            heard.append(json.loads(message))
    return heard


def opened(connection: ClientConnection, **fields: Any) -> dict[str, Any]:
    """Says `start`, and returns `started`."""
    connection.send(start(**fields))
    return until(connection, "started")[-1]


def close_code(connection: ClientConnection) -> int | None:
    return connection.close_code


def refusal(connection: ClientConnection) -> tuple[str, int | None]:
    """The code of the error that ends the session, and the close code."""
    errors = [
        each for each in rest(connection) if isinstance(each, dict) and each["type"] == "error"
    ]
    assert len(errors) == 1, errors
    assert errors[0]["message"]
    return errors[0]["code"], connection.close_code


def words(messages: list[Any]) -> list[str]:
    """The texts of finals."""
    return [each["text"] for each in messages if isinstance(each, dict) and each["type"] == "final"]


def heard_by_node(connection: ClientConnection, audio: bytes, packet_bytes: int) -> list[str]:
    """A whole session: audio in packets of one size, finish; the finals' texts."""
    opened(connection)
    for begin in range(0, len(audio), packet_bytes):
        connection.send(audio[begin : begin + packet_bytes])
    connection.send(FINISH)
    return words(rest(connection))


def wait_for(condition: Callable[[], bool]) -> None:
    """Until the node, another process, has come so far."""
    for _ in range(round(LIMIT_S / LOOK_S)):
        if condition():
            return
        time.sleep(LOOK_S)
    raise AssertionError("it did not come about")
