"""Runs the speech engines: espeak-ng in process, flite and festival as programs."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import soundfile as sf
from scipy.signal import resample_poly

from training.stt import augment
from training.stt.features import SAMPLE_RATE
from training.stt.text import spoken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from training.stt.augment import F32
    from training.stt.voices import Reading

PROGRAM_LIMIT_S: Final = 300
ESPEAK_WORDS_A_MINUTE: Final = 165
QUIET: Final = 1e-3
SHORTEST_S: Final = 0.1
LONGEST_S: Final = 12.0


def at_16_khz(samples: F32, rate: int) -> F32:
    """Resampled where needed."""
    if rate == SAMPLE_RATE:
        return samples.astype(np.float32)
    common = int(np.gcd(rate, SAMPLE_RATE))
    slower = resample_poly(samples, SAMPLE_RATE // common, rate // common)
    return np.asarray(slower, np.float32)


def read_audio(path: Path) -> F32:
    """The first channel of a sound file, at 16 kHz within +-1."""
    samples, rate = sf.read(path, dtype="float32", always_2d=True)
    return at_16_khz(samples[:, 0], rate)


class Espeak:
    """espeak-ng's library: one in a process, as it keeps its voice in global state."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libespeak-ng.so.1")
        self._rate = self._library.espeak_Initialize(2, 200, None, 0)
        self._pieces: list[np.ndarray] = []
        shape = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
        )
        self._callback = shape(self._heard)
        self._library.espeak_SetSynthCallback(self._callback)

    def _heard(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int) -> int:
        if count > 0:
            self._pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    def say(self, text: str, how: Reading) -> F32:
        """The text read aloud: single letters by their names, as espeak reads capitals."""
        self._pieces = []
        library = self._library
        library.espeak_SetVoiceByName(how.voice.encode())
        values = (
            (1, round(ESPEAK_WORDS_A_MINUTE / how.stretch)),
            (3, how.pitch),
            (4, how.pitch_range),
            (7, how.word_gap),
        )
        for parameter, value in values:
            library.espeak_SetParameter(parameter, value, 0)
        words = spoken(text, "A").split()
        spelled = " ".join(
            word.upper() if len(word) == 1 and word != "a" else word for word in words
        )
        raw = spelled.encode()
        library.espeak_Synth(raw, len(raw) + 1, 0, 1, 0, 1, None, None)
        library.espeak_Synchronize()
        if not self._pieces:
            return np.zeros(0, np.float32)
        samples = np.concatenate(self._pieces).astype(np.float32) * np.float32(1 / 32768)
        return at_16_khz(samples, self._rate)


def flite(text: str, how: Reading, path: Path) -> F32:
    """What flite reads, by way of a file at `path`."""
    command = ["flite", "-voice", how.voice, "--setf", f"duration_stretch={how.stretch:.3f}"]
    if how.pitch:
        command += ["--setf", f"int_f0_target_mean={how.pitch}"]
    command += ["-t", spoken(text, "ay"), "-o", str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=PROGRAM_LIMIT_S)
    return read_audio(path)


def festival(items: Sequence[tuple[int, str, Reading]], folder: Path) -> None:
    """Reads many texts with one start of the program, into NUMBER.wav."""
    script = []
    for number, text, how in items:
        words = spoken(text, "ay").replace('"', "")
        script += [
            f"(voice_{how.voice})",
            f"(Parameter.set 'Duration_Stretch {how.stretch:.3f})",
            f'(set! read (utt.synth (Utterance Text "{words}")))',
            f'(utt.save.wave read "{folder}/{number}.wav" \'riff)',
        ]
    path = folder / "read.scm"
    path.write_text("\n".join(script))
    command = ["festival", "-b", str(path)]
    subprocess.run(command, check=False, capture_output=True, timeout=PROGRAM_LIMIT_S)


def trimmed(samples: F32) -> F32 | None:
    """Without silence at both ends; None where nothing fit to train on remains."""
    loud = np.nonzero(np.abs(samples) > QUIET)[0]
    if len(loud) < SAMPLE_RATE * SHORTEST_S / 2:
        return None
    cut = samples[max(0, loud[0] - 320) : loud[-1] + 640]
    return cut if SHORTEST_S < len(cut) / SAMPLE_RATE < LONGEST_S else None


def read_all(items: Sequence[tuple[str, Reading]], espeak: Espeak) -> Iterator[tuple[int, F32]]:
    """The place in `items` and the speech, trimmed, of every text that its engine could read."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        folder = Path(name)
        by_festival = [
            (i, text, how) for i, (text, how) in enumerate(items) if how.engine == "festival"
        ]
        festival(sorted(by_festival, key=lambda item: item[2].voice), folder)
        for i, (text, how) in enumerate(items):
            path = folder / f"{i}.wav"
            if how.engine == "espeak":
                samples = espeak.say(text, how)
            elif how.engine == "flite":
                samples = flite(text, how, path)
            elif path.exists():
                samples = read_audio(path)
            else:
                continue
            cut = trimmed(samples)
            if cut is not None:
                yield i, augment.speed(cut, how.tract) if how.tract != 1.0 else cut
