"""The voices that read the training text, and how each reading is varied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from heliovox.local.phrases import words_of
from training.stt.splits import EVAL_ESPEAK, Split

if TYPE_CHECKING:
    import random

Engine = Literal["espeak", "flite", "festival"]

PRODUCT_VOICES: Final = ("cmu_us_slt_arctic_hts", "rms")
"""What our own voices are made from: the recogniser must understand these before all others."""

ACCENTS: Final = (
    *("en-us",) * 8,
    *("en-gb",) * 2,
    *words_of("en-gb-x-rp en-gb-scotland en-gb-x-gbcwmd en-029 en-us-nyc"),
)
ESPEAK_TRAIN: Final = words_of(
    """Alex Alicia Andrea Andy Annie Denis Diogo Gene Gene2 Henrique Hugo Jacky Lee Marco Mario
    Michael Mike Nguyen anika announcer antonio aunty boris caleb david ed edward edward2 grandma
    grandpa gustave iven iven2 iven3 iven4 john kaukovalta klatt klatt2 klatt4 klatt5 klatt6
    marcelo max miguel norbert pablo pedro quincy rob robert sandro shelby steph steph3 travis
    victor m1 m2 m3 m4 m6 m7 f1 f2 f4 f5 m1 m3 m7 f1 f2 f5 m1 m3 m7 f1 f2 f5"""
)
"""Variants that sound like a person; whisper, robots and the like are left out."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How one text is read."""

    engine: Engine
    voice: str
    """The engine's name for it, for instance "en-us+m3", "rms", "kal_diphone"."""
    stretch: float = 1.0
    """Duration, 1.2 is slower. For espeak the rate is 165 words a minute over this."""
    tract: float = 1.0
    """Resampling afterwards: above 1 a shorter vocal tract, higher and faster."""
    pitch: int = 0
    """espeak: 0 to 99. flite: mean in Hz, 0 for the voice's own."""
    pitch_range: int = 50
    """espeak only, 0 to 99."""
    word_gap: int = 0
    """espeak only: extra silence between words, in 10 ms."""


def product_reading(rng: random.Random, voice: str) -> Reading:
    """One of the voices we ship, near its own speed and, two times in three, untouched."""
    engine: Engine = "flite" if voice == "rms" else "festival"
    tract = 1.0 if rng.random() < 0.67 else rng.uniform(0.88, 1.14)
    return Reading(engine, voice, stretch=rng.uniform(0.8, 1.25) * tract, tract=tract)


def espeak_reading(rng: random.Random, variants: tuple[str, ...]) -> Reading:
    """An accent, a variant and a manner of speaking."""
    return Reading(
        "espeak",
        f"{rng.choice(ACCENTS)}+{rng.choice(variants)}",
        stretch=165 / rng.uniform(110, 215),
        tract=rng.uniform(0.88, 1.14),
        pitch=rng.randint(20, 80),
        pitch_range=rng.randint(20, 75),
        word_gap=rng.choice((0, 0, 0, 1, 3)),
    )


def other_reading(rng: random.Random, voice: str) -> Reading:
    """The other voices of flite and festival, varied widely in speed, tract and pitch."""
    tract = rng.uniform(0.84, 1.2) if rng.random() < 0.75 else 1.0
    stretch = rng.uniform(0.75, 1.15) * tract
    if voice == "kal_diphone":
        return Reading("festival", voice, stretch, tract)
    low_hz, high_hz = (120, 230) if voice == "slt" else (80, 180)
    pitch = rng.choice((0, rng.randint(low_hz, high_hz)))
    return Reading("flite", voice, stretch, tract, pitch)


def eval_reading(rng: random.Random, voice: str) -> Reading:
    """A voice kept for evaluation, as it is: "ked_diphone" or an espeak variant's name."""
    if voice == "ked_diphone":
        return Reading("festival", voice)
    return espeak_reading(rng, (voice,))


def draw(rng: random.Random, group: str, split: Split) -> Reading:
    """A reading by one of a group's voices: "product", "espeak" or "others"."""
    if group == "product":
        return product_reading(rng, rng.choice(PRODUCT_VOICES))
    if split == "eval":
        variants = sorted(EVAL_ESPEAK)
        return eval_reading(rng, rng.choice(("ked_diphone", *variants)))
    if group == "espeak":
        return espeak_reading(rng, ESPEAK_TRAIN)
    return other_reading(
        rng, rng.choice(("slt", "awb", "awb", "kal16", "kal_diphone", "kal_diphone"))
    )
