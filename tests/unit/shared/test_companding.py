import warnings

import numpy as np
import pytest

from shared.audio.companding import alaw_to_pcm, mulaw_to_pcm, pcm_to_alaw, pcm_to_mulaw

with warnings.catch_warnings():  # it goes away in Python 3.13; a reference while it lasts
    warnings.simplefilter("ignore", DeprecationWarning)
    audioop = pytest.importorskip("audioop")

EVERY_CODE = np.arange(256, dtype=np.uint8)
EVERY_VALUE = np.arange(-32768, 32768).astype(np.int16)


def test_every_mulaw_code_has_the_reference_value() -> None:
    assert mulaw_to_pcm(EVERY_CODE).tobytes() == audioop.ulaw2lin(EVERY_CODE.tobytes(), 2)


def test_every_alaw_code_has_the_reference_value() -> None:
    assert alaw_to_pcm(EVERY_CODE).tobytes() == audioop.alaw2lin(EVERY_CODE.tobytes(), 2)


def test_every_value_has_the_reference_mulaw_code() -> None:
    assert pcm_to_mulaw(EVERY_VALUE).tobytes() == audioop.lin2ulaw(EVERY_VALUE.tobytes(), 2)


def test_every_value_has_the_reference_alaw_code() -> None:
    assert pcm_to_alaw(EVERY_VALUE).tobytes() == audioop.lin2alaw(EVERY_VALUE.tobytes(), 2)


def test_silence_on_the_line_is_the_byte_that_gateways_send() -> None:
    assert pcm_to_mulaw(np.zeros(1, np.int16))[0] == 0xFF
    assert pcm_to_alaw(np.zeros(1, np.int16))[0] == 0xD5


def test_a_code_survives_decoding_and_encoding() -> None:
    assert np.array_equal(pcm_to_alaw(alaw_to_pcm(EVERY_CODE)), EVERY_CODE)
    kept = EVERY_CODE != 0x7F  # minus zero: mu-law has two zeros, and encodes one
    assert np.array_equal(pcm_to_mulaw(mulaw_to_pcm(EVERY_CODE))[kept], EVERY_CODE[kept])


def test_tables_cannot_be_changed_by_a_caller() -> None:
    mulaw_to_pcm(EVERY_CODE)[:] = 0
    assert mulaw_to_pcm(EVERY_CODE)[0] == -32124
