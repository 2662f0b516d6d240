"""Nothing that is evaluated on was trained on: text, voices, rooms, noises."""

from __future__ import annotations

import random
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.stt import callcentre, splits, text, voices
from training.stt.text import Domain

DOMAINS = get_args(Domain)
LONG_DOMAINS = [domain for domain in DOMAINS if domain not in ("isolated", "digit")]


def texts(domain: Domain, split: splits.Split, count: int) -> set[str]:
    rng = random.Random(f"{domain} {split}")
    return {text.draw(rng, domain, split) for _ in range(count)}


def test_no_text_is_in_both_splits() -> None:
    """Over all domains together: one domain's evaluation must not be another's training."""
    trained = set().union(*(texts(domain, "train", 4000) for domain in DOMAINS))
    evaluated = set().union(*(texts(domain, "eval", 400) for domain in LONG_DOMAINS))
    assert not trained & evaluated


@given(words=st.lists(st.sampled_from(sorted(callcentre.vocabulary())), min_size=1, max_size=3))
def test_short_phrases_are_never_evaluated_on(words: list[str]) -> None:
    """They are in training by necessity: there is only one "yes"."""
    assert splits.text_split(" ".join(words)) == "train"


def test_sentences_with_one_wording_are_never_evaluated_on() -> None:
    assert splits.text_split("where is my order") == "train"
    assert splits.text_split("the weather delayed our flight") == "train"


def test_about_one_text_in_twenty_is_kept() -> None:
    rng = random.Random(5)
    kept = [splits.text_split(text.spelling(rng) + " one two three") for _ in range(4000)]
    assert 0.03 < kept.count("eval") / len(kept) < 0.07


@pytest.mark.parametrize("group", ["espeak", "others"])
def test_no_voice_is_in_both_splits(group: str) -> None:
    """The product's own voices are the exception that is meant: they must be understood."""
    rng = random.Random(1)
    trained = {
        _name(voices.draw(rng, g, "train")) for g in ("espeak", "others") for _ in range(3000)
    }
    evaluated = {_name(voices.draw(rng, group, "eval")) for _ in range(300)}
    assert len(evaluated) > 10
    assert not trained & evaluated
    assert {splits.voice_split(name) for name in evaluated} == {"eval"}
    assert {splits.voice_split(name) for name in trained} == {"train"}


def _name(reading: voices.Reading) -> str:
    variant = reading.voice.partition("+")[2]
    return f"espeak {variant}" if reading.engine == "espeak" else reading.voice


def test_no_room_is_in_both_splits() -> None:
    rng = np.random.default_rng(1)
    trained = {splits.draw_room(rng, "train") for _ in range(5000)}
    evaluated = {splits.draw_room(rng, "eval") for _ in range(500)}
    assert not trained & evaluated


def test_no_noise_is_in_both_splits() -> None:
    assert not splits.TRAIN_NOISES & splits.EVAL_NOISES
