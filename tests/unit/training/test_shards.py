"""Shards give back what was put in, and are never seen half written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.stt import shards
from training.stt.shards import Speech


def test_speech_comes_back_within_a_step_of_sixteen_bits(tmp_path: Path) -> None:
    said = [
        Speech("one", "rms", np.linspace(-1, 1, 50, dtype=np.float32)),
        Speech("", "noise", np.zeros(7, np.float32)),
    ]
    shards.write_speech(tmp_path / "x", said)
    found = shards.read_speech(tmp_path / "x")
    assert [(s.text, s.source) for s in said] == [(s.text, s.source) for s in found]
    for one, other in zip(said, found, strict=True):
        np.testing.assert_allclose(other.samples, one.samples, atol=1 / 32000)


def test_features_come_back(tmp_path: Path) -> None:
    rows = [("a", "rms", np.full((n, 80), -n, np.float32)) for n in (3, 5)]
    shards.write_features(tmp_path / "x", rows)
    found = list(shards.read_features(tmp_path / "x"))
    assert [e.frames.shape for e in found] == [(3, 80), (5, 80)]
    assert np.all(found[1].frames == -5)


def test_an_empty_shard_is_read_as_nothing(tmp_path: Path) -> None:
    """It once ended a training after an hour."""
    shards.write_features(tmp_path / "x", [])
    assert not list(shards.read_features(tmp_path / "x"))


def test_an_interrupted_write_leaves_no_shard(tmp_path: Path) -> None:
    """The trainer takes up whatever has an index: it must not find half of one."""

    def cut_off() -> object:
        yield "a", "rms", np.zeros((2, 80), np.float32)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shards.write_features(tmp_path / "x", cut_off())
    assert not list(tmp_path.glob("*.json"))
