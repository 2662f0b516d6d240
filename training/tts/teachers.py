"""The two teachers: festival's `cmu_us_slt_arctic_hts` (female) and flite's `rms` (male).

Both use the CMU phone set and tell when each phone ends, so no aligner is needed.
"""

import ctypes
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
from scipy.signal import resample_poly

F32 = npt.NDArray[np.float32]
SAMPLE_RATE = 16_000


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence as a teacher said it: samples in +-1 at 16 kHz; phones with their ends."""

    text: str
    samples: F32
    phones: tuple[str, ...]
    ends_s: tuple[float, ...]


_STRESSED = frozenset("aeiou")


def _phone(name: str, stress: str) -> str:
    return f"{name}{stress}" if name[0] in _STRESSED and stress in "01" else name


def _festival_script(texts: Sequence[str], folder: Path) -> str:
    lines = ["(voice_cmu_us_slt_arctic_hts)"]
    for index, text in enumerate(texts):
        lines.append(
            f"""(set! u (utt.synth (Utterance Text "{text}")))
(utt.save.wave u "{folder}/{index}.wav" 'riff)
(set! fd (fopen "{folder}/{index}.lab" "w"))
(mapcar (lambda (s) (format fd "%s %f %s\\n" (item.name s) (item.feat s 'segment_end)
  (item.feat s 'R:SylStructure.parent.stress))) (utt.relation.items u 'Segment))
(fclose fd)"""
        )
    return "\n".join(lines)


def _festival_reading(text: str, stem: Path) -> Reading | None:
    if not stem.with_suffix(".lab").exists():
        return None
    samples, rate = soundfile.read(stem.with_suffix(".wav"), dtype="float32")
    rows = [line.split() for line in stem.with_suffix(".lab").read_text().splitlines()]
    if not rows:
        return None
    samples = resample_poly(samples, SAMPLE_RATE, rate).astype(np.float32)
    phones = tuple(_phone(name, stress) for name, _, stress in rows)
    return Reading(text, samples, phones, tuple(float(end) for _, end, _ in rows))


def festival(texts: Sequence[str], batch: int = 50) -> Iterator[Reading]:
    """The female teacher. A sentence that festival fails on is left out."""
    for start in range(0, len(texts), batch):
        part = texts[start : start + batch]
        with tempfile.TemporaryDirectory() as name:
            script = Path(name, "read.scm")
            script.write_text(_festival_script(part, Path(name)))
            subprocess.run(
                ["/usr/bin/festival", "-b", str(script)], check=False, capture_output=True
            )
            for index, text in enumerate(part):
                if reading := _festival_reading(text, Path(name, str(index))):
                    yield reading


class _Wave(ctypes.Structure):
    """flite's `cst_wave`."""

    _fields_ = (
        ("type", ctypes.c_char_p),
        ("sample_rate", ctypes.c_int),
        ("num_samples", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    )


class Flite:
    """flite through its shared libraries: they, unlike its command, also tell the stress."""

    def __init__(self) -> None:
        """Raises OSError where flite's libraries are not installed."""
        lib = ctypes.CDLL("libflite.so.1", mode=ctypes.RTLD_GLOBAL)
        lib.flite_init()
        for name in ("usenglish", "cmulex"):
            ctypes.CDLL(f"libflite_{name}.so.1", mode=ctypes.RTLD_GLOBAL)
        rms = ctypes.CDLL("libflite_cmu_us_rms.so.1")
        rms.register_cmu_us_rms.restype = ctypes.c_void_p
        pointer, text = ctypes.c_void_p, ctypes.c_char_p
        for name, result, arguments in (
            ("flite_synth_text", pointer, [text, pointer]),
            ("utt_relation", pointer, [pointer, text]),
            ("relation_head", pointer, [pointer]),
            ("item_next", pointer, [pointer]),
            ("utt_wave", ctypes.POINTER(_Wave), [pointer]),
            ("delete_utterance", None, [pointer]),
            ("ffeature_string", text, [pointer, text]),
            ("ffeature_float", ctypes.c_float, [pointer, text]),
        ):
            function = getattr(lib, name)
            function.restype, function.argtypes = result, arguments
        self._lib, self._voice = lib, rms.register_cmu_us_rms(None)

    def read(self, text: str) -> Reading | None:
        """The male teacher reads one sentence; None where there was nothing to say."""
        utterance = self._lib.flite_synth_text(text.encode("ascii"), self._voice)
        try:
            phones, ends_s = self._segments(utterance)
            wave = self._lib.utt_wave(utterance).contents
            raw = np.ctypeslib.as_array(wave.samples, (wave.num_samples,))
            samples = raw.astype(np.float32) / np.float32(32768)
        finally:
            self._lib.delete_utterance(utterance)
        return Reading(text, samples, phones, ends_s) if len(phones) > 2 else None

    def _segments(self, utterance: int) -> tuple[tuple[str, ...], tuple[float, ...]]:
        lib, phones, ends_s = self._lib, [], []
        item = lib.relation_head(lib.utt_relation(utterance, b"Segment"))
        while item:
            stress = lib.ffeature_string(item, b"R:SylStructure.parent.stress").decode()
            phones.append(_phone(lib.ffeature_string(item, b"name").decode(), stress))
            ends_s.append(float(lib.ffeature_float(item, b"end")))
            item = lib.item_next(item)
        return tuple(phones), tuple(ends_s)


def flite(texts: Sequence[str]) -> Iterator[Reading]:
    """The male teacher."""
    reader = Flite()
    for text in texts:
        if reading := reader.read(text):
            yield reading
