"""Measures the voice activity detector on human speech, noise, and both together.

    HELIOVOX_ASSETS=... python -m training.vad.evaluate

What is speech is read off the clean recording: the frames of 32 ms within 35 dB of its loudest.
That is a crude ear: it takes a breath or a click for speech, and says so by a share of misses that
no threshold removes. Rows compare well; the share of whole utterances is a lower bound.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from edge_node.models import Store
from edge_node.stt.engine import Samples
from edge_node.stt.speech import (
    STEP_SAMPLES,
    WINDOW_SAMPLES,
    SpeechBegan,
    SpeechEnded,
    SpeechFinder,
)
from edge_node.stt.vad import VoiceActivity
from heliovox.protocol.audio import AudioFormat
from shared.audio import Resampler, decode, encode

RATE = 16000
SPEECH_WITHIN_DB = 35
LEAD_S = 1.0
"""Of noise alone, before and after every utterance."""


CONDITIONS: tuple[tuple[str, float | None, float, int | None], ...] = (
    ("clean", None, 0, None),
    *((f"{snr} dB", snr, 0, None) for snr in (20, 10, 5, 0)),
    ("10 dB, 20 dB softer", 10, -20, None),
    ("clean, 35 dB softer", None, -35, None),
    ("telephone, clean", None, 0, 8000),
    *((f"telephone, {snr} dB", snr, 0, 8000) for snr in (20, 10, 5, 0)),
    ("  10 dB, 20 dB softer", 10, -20, 8000),
    ("  35 dB softer", None, -35, 8000),
    ("  10 dB, without hiss", 10, 0, RATE),
)
"""Name, noise below the speech, gain, and the rate it is said to have come at."""


@dataclass
class Score:
    """Of one condition."""

    utterances: int = 0
    found: int = 0
    whole: int = 0
    late_ms: list[float] = field(default_factory=list)
    false_starts: int = 0
    speech_windows: int = 0
    heard_windows: int = 0


def labelled(clean: Samples) -> np.ndarray:
    """Which windows of a clean recording hold speech."""
    windows = clean[: len(clean) // WINDOW_SAMPLES * WINDOW_SAMPLES].reshape(-1, WINDOW_SAMPLES)
    level_db = 10 * np.log10(np.mean(windows.astype(np.float64) ** 2, axis=1) + 1e-10)
    return level_db > level_db.max() - SPEECH_WITHIN_DB


def segments(vad: VoiceActivity, audio: Samples, caller_hz: int = RATE) -> list[tuple[int, int]]:
    """Begin and end samples of each speech found."""
    finder = SpeechFinder()
    changes = [*finder.push(vad.whole(audio, caller_hz)), *finder.finish()]
    begins = [c.sample for c in changes if isinstance(c, SpeechBegan)]
    ends = [c.sample for c in changes if isinstance(c, SpeechEnded)]
    return list(zip(begins, ends, strict=True))


def mixed(
    clean: Samples, noise: Samples | None, snr_db: float, rng: np.random.Generator
) -> Samples:
    """The recording between two seconds of noise, at a ratio to its speech's own level."""
    pad = np.zeros(int(LEAD_S * RATE), np.float32)
    audio = np.concatenate([pad, clean, pad])
    if noise is None:
        return audio
    speech = clean[: len(labelled(clean)) * WINDOW_SAMPLES].reshape(-1, WINDOW_SAMPLES)
    power = np.mean(speech[labelled(clean)].astype(np.float64) ** 2)
    start = rng.integers(0, max(1, len(noise) - len(audio)))
    piece = np.resize(noise[start:], len(audio)).astype(np.float64)
    gain = np.sqrt(power / 10 ** (snr_db / 10) / (np.mean(piece**2) + 1e-12))
    return (audio + gain * piece).astype(np.float32)


def telephone(audio: Samples) -> Samples:
    """Through 8 kHz mu-law and back."""
    line = AudioFormat.telephone()
    down, up = Resampler(RATE, line.sample_rate), Resampler(line.sample_rate, RATE)
    narrow = np.concatenate([down.push(audio), down.finish()])
    heard = decode(line, encode(line, narrow))
    return np.concatenate([up.push(heard), up.finish()])[: len(audio)]


def judge(score: Score, found: list[tuple[int, int]], labels: np.ndarray) -> None:
    """Adds one utterance: was it found, wholly, how late, and what was found beside it."""
    lead = int(LEAD_S * RATE)
    first, last = np.flatnonzero(labels)[[0, -1]] * WINDOW_SAMPLES + lead
    touching = [s for s in found if s[1] > first and s[0] < last + WINDOW_SAMPLES]
    score.utterances += 1
    score.found += bool(touching)
    score.false_starts += len(found) - len(touching)
    speech = np.flatnonzero(labels) * WINDOW_SAMPLES + lead + WINDOW_SAMPLES // 2
    heard = sum(any(a <= at < b for a, b in found) for at in speech)
    score.speech_windows += len(speech)
    score.heard_windows += heard
    if touching:
        score.whole += touching[0][0] <= first and touching[-1][1] >= last
        score.late_ms.append((touching[0][0] - first) / RATE * 1e3)


def recordings(assets: Path) -> Iterator[Samples]:
    """The AN4 test speakers."""
    for line in (assets / "an4" / "manifest.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["split"] == "test":
            yield soundfile.read(assets / row["file"], dtype="float32")[0]


def noises(assets: Path) -> dict[str, Samples]:
    """Every noise of the assets, at 16 kHz."""
    found = {}
    for line in (assets / "noise" / "manifest.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["kind"] != "noise":
            continue
        audio = soundfile.read(assets / row["file"], dtype="float32")[0]
        resampler = Resampler(row["sr"], RATE)
        found[row["id"]] = np.concatenate([resampler.push(audio), resampler.finish()])
    return found


def in_noise(vad: VoiceActivity, assets: Path) -> None:
    """Human speech, clean, in noise, and over a telephone line."""
    every, clean = noises(assets), list(recordings(assets))
    print("condition               found   whole  windows  begins (ms, p50 p95)  false starts")
    for name, snr_db, gain_db, line in CONDITIONS:
        rng, score = np.random.default_rng(1), Score()
        for index, recording in enumerate(clean):
            noise = None if snr_db is None else list(every.values())[index % len(every)]
            audio = mixed(recording, noise, snr_db or 0, rng) * 10 ** (gain_db / 20)
            if line is not None:
                audio = telephone(audio)
            judge(score, segments(vad, audio, line or RATE), labelled(recording))
        late = np.percentile(score.late_ms, [50, 95])
        n = score.utterances
        print(
            f"{name:21} {score.found:4}/{n} {score.whole / n:6.1%} "
            f"{score.heard_windows / score.speech_windows:8.1%} {late[0]:9.0f} {late[1]:6.0f}"
            f" {score.false_starts:14}"
        )


def noise_alone(vad: VoiceActivity, assets: Path) -> None:
    """How often noise is taken for speech."""
    print("\nnoise alone                     seconds  speech found  share of time")
    for name, audio in noises(assets).items():
        found = segments(vad, audio)
        share = sum(b - a for a, b in found) / len(audio)
        print(f"{name:30} {len(audio) / RATE:8.1f} {len(found):13} {share:14.1%}")


def cost(vad: VoiceActivity) -> None:
    """CPU time of this thread for a second of one stream, by how many share a step."""
    print("\nstreams a step  CPU ms a stream-second")
    rng = np.random.default_rng(0)
    for count in (1, 8, 32):
        took = []
        for _ in range(20):
            streams = [vad.open() for _ in range(count)]
            for stream in streams:
                vad.accept(stream, rng.normal(0, 0.1, STEP_SAMPLES).astype(np.float32))
            begin = time.thread_time()
            vad.step(streams)
            took.append(time.thread_time() - begin)
        print(f"{count:14} {np.median(took) * 1e3 / count / (STEP_SAMPLES / RATE):14.2f}")


def main() -> None:
    """Prints every table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=Path, default=os.environ.get("HELIOVOX_ASSETS"))
    args = parser.parse_args()
    if args.assets is None:
        parser.error("name the folder of recordings with --assets or HELIOVOX_ASSETS")
    vad = VoiceActivity(Store().find("vad-silero").files["model"])
    in_noise(vad, Path(args.assets))
    noise_alone(vad, Path(args.assets))
    cost(vad)


if __name__ == "__main__":
    main()
