"""Audio without end: the node keeps no more of it than it must."""

import threading

import psutil
import pytest
from websockets.sync.client import ClientConnection

from tests.support.running_node import RunningNode
from tests.support.talk import FINISH, opened, rest, spoken, words

pytestmark = pytest.mark.process

NODE = {"batch": {"max_wait_ms": 0}}  # nobody else is there to wait for
MINUTE_BYTES = 60 * 8000
MIB = 1 << 20
CHUNK_SAMPLES = 5120


def resident_mib(node: RunningNode) -> float:
    return float(psutil.Process(node.process.pid).memory_info().rss) / MIB


def test_silence_for_an_hour(node: RunningNode) -> None:
    """Faster than real time; nothing is heard in it, and it does not pile up."""
    with node.call(ping_interval=None) as caller:
        opened(caller, audio={"encoding": "mulaw", "sample_rate": 8000})
        caller.send(b"\xff" * MINUTE_BYTES)
        before_mib = resident_mib(node)
        for _ in range(59):
            caller.send(b"\xff" * MINUTE_BYTES)
        caller.send(FINISH)
        heard = rest(caller)
        assert words(heard) == []
        assert heard[-1]["audio_ms"] == 3_600_000
        assert resident_mib(node) - before_mib < 20


def test_speech_without_a_pause_for_ten_minutes(node: RunningNode) -> None:
    """Ended every 20 s at the latest; nothing is lost or said twice, and audio is released."""
    text = "abcdefghij" * 1500
    with node.call(ping_interval=None) as caller:
        opened(caller, partials=False)
        reading = _Reader(caller)
        audio = spoken(text)
        for begin in range(0, len(audio), MIB // 2):
            caller.send(audio[begin : begin + MIB // 2])
        caller.send(FINISH)
        heard = reading.all()
    finals = [each for each in heard if each["type"] == "final"]
    assert "".join(each["text"] for each in finals) == text
    assert [each["seq"] for each in finals] == list(range(1, len(finals) + 1))
    lengths = [each["through_sample"] - each["from_sample"] for each in finals]
    assert max(lengths) <= 20 * 16000 + CHUNK_SAMPLES
    assert heard[-1]["audio_ms"] == 600_000


class _Reader:
    """Reads while the test sends, as callers do."""

    def __init__(self, caller: ClientConnection) -> None:
        self._heard: list[dict[str, object]] = []
        self._thread = threading.Thread(target=lambda: self._heard.extend(rest(caller)))
        self._thread.start()

    def all(self) -> list[dict[str, object]]:
        self._thread.join()
        return self._heard
