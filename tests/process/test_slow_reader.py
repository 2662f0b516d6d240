"""A caller who reads more slowly than the node speaks gets every byte as it was meant."""

import json

import pytest

from tests.support.raw import RawCaller, upgrade_request
from tests.support.running_node import RunningNode
from tests.support.talk import start

pytestmark = pytest.mark.process

WORDS = [("abcdefghijklmnopqrstuvwxyz" * 2)[: 8 + index % 30] for index in range(200)]
"""Of many lengths, so that no two frames in a row have the same header."""


def test_what_waited_for_the_reader_is_whole(node: RunningNode) -> None:
    opening = [
        (0x81, start(kind="synthesis").encode()),
        (0x81, json.dumps({"type": "speak", "id": "a", "text": " ".join(WORDS)}).encode()),
        (0x81, b'{"type": "finish"}'),
    ]
    with RawCaller(node.port, upgrade_request(node.key), opening) as caller:
        assert caller.status() == 101
        assert node.get("/healthz")[0] == 200  # its turn: it fills every buffer between us
        frames, code = caller.frames_to_close()
    texts = [json.loads(payload) for opcode, payload in frames if opcode == 1]
    audio = b"".join(payload for opcode, payload in frames if opcode == 2)
    assert [text["type"] for text in texts] == ["started", "speaking", "spoken", "ended"]
    assert texts[2]["samples"] == len(audio) // 2 == 640 * sum(len(word) + 1 for word in WORDS)
    assert code == 1000
