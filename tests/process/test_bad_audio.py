"""Audio that is not what it should be."""

import struct
from contextlib import suppress

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.running_node import RunningNode
from tests.support.talk import (
    FINISH,
    heard_by_node,
    opened,
    refusal,
    rest,
    spoken,
    start,
    words,
)

pytestmark = pytest.mark.process

MIB = 1 << 20


def test_a_sample_may_be_split_over_packets(node: RunningNode) -> None:
    audio = spoken("hello world   ")
    with node.call() as caller:
        assert heard_by_node(caller, audio, packet_bytes=3) == ["hello world"]


@pytest.mark.parametrize("packet_bytes", [1, 2, 999, 3200, 320_000])
def test_how_packets_are_cut_does_not_matter(node: RunningNode, packet_bytes: int) -> None:
    audio = spoken("hello there" + " " * 25 + "good day   ")
    with node.call() as caller:
        assert heard_by_node(caller, audio, packet_bytes) == ["hello there", "good day"]


def test_half_a_sample_at_the_end_is_dropped(node: RunningNode) -> None:
    with node.call() as caller:
        assert heard_by_node(caller, spoken("hello   ") + b"\x01", 4096) == ["hello"]


def test_no_audio_at_all(node: RunningNode) -> None:
    with node.call() as caller:
        opened(caller)
        caller.send(b"")
        caller.send(FINISH)
        heard = rest(caller)
        assert [each["type"] for each in heard] == ["ended"]
        assert caller.close_code == 1000


def test_audio_before_start(node: RunningNode) -> None:
    with node.call() as caller:
        caller.send(bytes(3200))
        assert refusal(caller) == ("wrong_kind_of_message", 1003)


def test_a_start_in_a_binary_message(node: RunningNode) -> None:
    with node.call() as caller:
        caller.send(start().encode())
        assert refusal(caller) == ("wrong_kind_of_message", 1003)


def test_audio_in_a_text_message(node: RunningNode) -> None:
    with node.call() as caller:
        opened(caller)
        caller.send(bytes(3200), text=True)
        assert refusal(caller) == ("invalid_message", 1007)


def test_audio_for_a_session_that_only_speaks(node: RunningNode) -> None:
    with node.call() as caller:
        opened(caller, kind="synthesis")
        caller.send(bytes(3200))
        assert refusal(caller) == ("wrong_kind_of_message", 1003)


@pytest.mark.parametrize("size", [MIB + 1, MIB + 70_000, 10_000_000])
def test_a_message_that_is_too_big(node: RunningNode, size: int) -> None:
    with node.call() as caller:
        opened(caller)
        with suppress(ConnectionClosed):  # the answer may come before all is sent
            caller.send(bytes(size))
        assert refusal(caller) == ("too_big", 1009)


def test_the_largest_message_is_taken(node: RunningNode) -> None:
    with node.call() as caller:
        opened(caller)
        caller.send(bytes(MIB))
        caller.send(FINISH)
        assert rest(caller)[-1]["audio_ms"] == MIB // 32


def test_a_big_message_in_small_fragments(node: RunningNode) -> None:
    with node.call() as caller:
        opened(caller)
        with suppress(ConnectionClosed):
            caller.send([bytes(65_536)] * 160)
        assert refusal(caller) == ("too_big", 1009)


def test_a_wav_header_is_recognised_as_such(node: RunningNode) -> None:
    header = (
        b"RIFF"
        + struct.pack("<I", 36)
        + b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16)
    )
    with node.call() as caller:
        opened(caller)
        caller.send(header + b"data" + struct.pack("<I", 0) + spoken("hello   "))
        (error,) = rest(caller)
        assert (error["code"], error["field"]) == ("invalid_message", "audio")
        assert "WAV" in error["message"]
        assert caller.close_code == 1007


@pytest.mark.parametrize("level", [-32768, 32767])
def test_clipped_audio(node: RunningNode, level: int) -> None:
    with node.call() as caller:
        opened(caller)
        caller.send(np.full(64_000, level, "<i2").tobytes())
        caller.send(FINISH)
        heard = rest(caller)
        assert (heard[-1]["type"], heard[-1]["audio_ms"]) == ("ended", 4000)


def test_bytes_that_are_floating_point_nan(node: RunningNode) -> None:
    """Callers who send float32 by mistake: noise, but a session like any other."""
    with node.call() as caller:
        opened(caller)
        caller.send(np.full(32_000, np.nan, "<f4").tobytes() + np.full(8, np.inf, "<f4").tobytes())
        caller.send(FINISH)
        assert rest(caller)[-1]["type"] == "ended"


@pytest.mark.parametrize("encoding", ["mulaw", "alaw"])
def test_every_companded_byte(node: RunningNode, encoding: str) -> None:
    with node.call() as caller:
        opened(caller, audio={"encoding": encoding, "sample_rate": 8000})
        caller.send(bytes(range(256)) * 64)
        caller.send(FINISH)
        heard = rest(caller)
        assert (heard[-1]["type"], heard[-1]["audio_ms"]) == ("ended", 2048)
        assert isinstance(words(heard), list)
