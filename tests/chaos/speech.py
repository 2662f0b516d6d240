"""What callers say: recordings of people one after the other, or our own voices' without them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from heliovox.client.client import Client
from heliovox.local.calls import Recording, Where
from heliovox.local.phrases import sentence
from heliovox.local.recordings import draw_people
from heliovox.local.voices import as_telephone, said
from heliovox.protocol.audio import AudioFormat
from shared.audio import encode

TELEPHONE = AudioFormat.telephone()
PAUSE_MS = (250, 900)
DRAWN = 60
"""Recordings of people; sentences of our own voices are a third of that."""
_RATE = TELEPHONE.sample_rate


@dataclass(frozen=True, slots=True)
class Speech:
    """One caller's, in the form of TELEPHONE."""

    name: str
    data: bytes


async def voices(assets: Path | None, client: Client, rng: random.Random) -> list[Recording]:
    """Recordings to choose from, on a telephone line."""
    if assets is not None:
        return [as_telephone(one) for one in draw_people(assets, rng, DRAWN)]
    found = []
    for _ in range(DRAWN // 3):
        one = await said(client, sentence(rng), None, Where(policy="eu-only"))
        found.append(as_telephone(one.recording))
    return found


def speeches(
    recordings: Sequence[Recording], rng: random.Random, callers: int, seconds: float
) -> list[Speech]:
    """Each caller says drawn recordings with drawn pauses, for so long."""
    wanted = int(seconds * _RATE)
    return [Speech(f"caller-{n + 1}", _one(recordings, rng, wanted)) for n in range(callers)]


def _one(recordings: Sequence[Recording], rng: random.Random, wanted: int) -> bytes:
    said = bytearray(_silence(rng))
    while len(said) < wanted:
        said += rng.choice(recordings).data + _silence(rng)
    return bytes(said[:wanted])


def _silence(rng: random.Random) -> bytes:
    samples = TELEPHONE.samples(rng.randint(*PAUSE_MS))
    return encode(TELEPHONE, np.zeros(samples, np.float32))
