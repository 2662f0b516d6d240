"""What the network is shown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.stt import batches
from training.stt.batches import Item
from training.stt.shards import Example


def item(frames: int, source: str = "rms", tokens: int = 3, text: str = "a b c") -> Item:
    example = Example(text, source, np.full((frames, 80), -5, np.float16))
    return Item(example, tuple(range(tokens)), frames // 4)


@given(lengths=st.lists(st.integers(20, 400), min_size=1, max_size=60), seed=st.integers(0, 99))
def test_batches_hold_every_item_once_and_no_more_than_asked(lengths: list[int], seed: int) -> None:
    items = [item(length) for length in lengths]
    found = batches.into_batches(items, np.random.default_rng(seed), batch_s=6.0)
    assert sorted(id(i) for batch in found for i in batch) == sorted(map(id, items))
    for batch in found:
        longest = max(len(i.example.frames) for i in batch)
        assert len(batch) == 1 or len(batch) * longest <= 600


def test_an_epoch_shares_out_its_seconds_as_stated() -> None:
    items = [item(100, source) for source in ("an4 a", "rms", "kal16") for _ in range(3000)]
    chosen = batches.draw_epoch(items, np.random.default_rng(1), 1000, early=False)
    seconds = {"an4 a": 0, "rms": 0, "kal16": 0}
    for one in chosen:
        seconds[one.example.source] += 1
    shares = batches.SHARES
    present = shares["human"] + shares["product"] + shares["other"]
    assert seconds["an4 a"] == pytest.approx(1000 * shares["human"] / present, abs=2)
    assert seconds["rms"] == pytest.approx(1000 * shares["product"] / present, abs=2)


@pytest.mark.parametrize(
    ("source", "text", "group"),
    [
        ("an4 fash", "yes", "human"),
        ("cuts an4 fash", "two", "cuts"),
        ("own voice-en-male", "two", "product"),
        ("kal16", "two", "alone"),
        ("kal16", "two three four", "other"),
        ("noise", "", "nobody"),
    ],
)
def test_a_word_alone_and_nobody_have_shares_of_their_own(
    source: str, text: str, group: str
) -> None:
    assert batches.group_of(item(100, source, text=text).example) == group
    assert group in batches.SHARES


def test_the_shares_make_a_whole() -> None:
    assert sum(batches.SHARES.values()) == pytest.approx(1)


def test_a_vocal_tract_of_the_same_length_changes_nothing() -> None:
    assert np.allclose(batches.warp_matrix(1.0), np.eye(80), atol=1e-4)


@pytest.mark.parametrize(("factor", "moves"), [(1.12, 1), (0.9, -1)])
def test_a_shorter_vocal_tract_moves_formants_up(factor: float, moves: int) -> None:
    formant = np.zeros((1, 80), np.float32)
    formant[0, 40] = 1
    found = int((formant @ batches.warp_matrix(factor)).argmax())
    assert (found - 40) * moves > 0


@given(frames=st.integers(20, 300), factor=st.floats(0.85, 1.18))
def test_speech_at_another_speed_keeps_its_ends(frames: int, factor: float) -> None:
    sound = np.linspace(0, 1, frames, dtype=np.float32)[:, None].repeat(80, 1)
    faster = batches.at_speed(sound, factor)
    assert len(faster) == round(frames / factor)
    assert faster[0, 0] == 0
    assert faster[-1, 0] == pytest.approx(1, abs=2 * factor / frames)


def test_the_flat_start_avoids_long_and_empty_utterances() -> None:
    items = [item(1000), item(100, tokens=0), item(100)]
    chosen = batches.draw_epoch(items, np.random.default_rng(1), 100, early=True)
    assert {id(one) for one in chosen} == {id(items[2])}


def test_masks_leave_the_stored_features_alone() -> None:
    one = item(300)
    batches.network_input(one, np.random.default_rng(1), mask=True)
    assert np.all(one.example.frames == -5)


def test_shorter_utterances_are_followed_by_silence() -> None:
    x = batches.padded([np.zeros((2, 80), np.float32), np.zeros((5, 80), np.float32)])
    assert x.shape == (2, 5, 80)
    assert np.all(x[0, 2:] < -15)


def test_guessed_alignments_keep_the_order_and_the_silence() -> None:
    frames = np.full((400, 80), -12, np.float32)
    frames[100:300] = -2
    targets = batches.flat_targets(frames, [1.0, 1.0], [7, 8], blank=9)
    said = [int(t) for t in targets if t != 9]
    assert sorted(said) == said
    assert set(said) == {7, 8}
    assert set(targets[:15]) == set(targets[-20:]) == {9}
