"""What is said in a session of many days: which word begins at which sample. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from edge_node.stt.engine import Profile
from edge_node.stt.scripted import LETTERS, script_audio
from heliovox.protocol.audio import AudioFormat
from shared.audio import encode

RATE = 8000
AUDIO = AudioFormat("pcm_s16le", RATE)
FRAME_MS, CHUNK_MS = 400, 4000
"""Coarse, so that a hundred days take minutes: the machinery around is the same."""
PROFILE = Profile(
    model="scripted",
    model_hash="scripted",
    languages=("en",),
    sample_rate=RATE,
    chunk_samples=RATE * CHUNK_MS // 1000,
    edge_samples=0,
    delay_samples=2 * RATE * FRAME_MS // 1000,
    frame_samples=RATE * FRAME_MS // 1000,
    tail_samples=2 * RATE * FRAME_MS // 1000,
)
SILENCE = bytes(PROFILE.chunk_samples * AUDIO.bytes_per_sample)
DAY_MS = 86_400_000
EVERY_CHUNKS = 150
"""A word every ten minutes."""


@dataclass(frozen=True, slots=True)
class Word:
    """One that must be heard."""

    text: str
    start_ms: int


def word_of(number: int) -> Word:
    """The word of the chunk `number * EVERY_CHUNKS`: its number, in letters."""
    text, rest = "", number
    while rest or not text:
        text, rest = LETTERS[rest % 26] + text, rest // 26
    return Word(text, number * EVERY_CHUNKS * CHUNK_MS)


def chunks(days: float) -> Iterator[tuple[bytes, Word | None]]:
    """Audio, chunk by chunk, and the word that begins with it."""
    for chunk in range(round(days * DAY_MS / CHUNK_MS)):
        number, within = divmod(chunk, EVERY_CHUNKS)
        if within:
            yield SILENCE, None
        else:
            word = word_of(number)
            yield _audio(word.text), word


def _audio(text: str) -> bytes:
    said = encode(AUDIO, script_audio(text, PROFILE.frame_samples))
    return said + SILENCE[len(said) :]
