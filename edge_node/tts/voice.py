"""One voice: a file of the network and its vocoder, run by onnxruntime on the caller's thread."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_node.tts.phones import IDS, SYMBOLS
from shared.errors import EngineFailed, ModelRefused

SAMPLE_RATE: Final = 16_000
_INPUTS: Final = ["x", "x_length", "noise_scale", "length_scale", "noise_scale_w"]
_USUAL_NOISE: Final = 0.667  # what the network was exported to take as "as trained"
_REMEDY: Final = "install the package again, or make the file with training/tts/train.py"


class Voice(Protocol):
    """Symbols in, audio out; on whatever thread calls it."""

    @property
    def name(self) -> str:
        """As callers name it."""
        ...

    def say(self, symbols: Sequence[str], speed: float) -> NDArray[np.float32]:
        """Float32 mono at 16 kHz in +-1, as long as the symbols last. May raise anything."""
        ...


class OnnxVoice:
    """Equal symbols and speed give equal samples."""

    def __init__(self, name: str, file: Path) -> None:
        """Raises ModelRefused, with the file's name, where it is none of our voices."""
        import onnxruntime as ort  # noqa: PLC0415 slow to load, and only a node that speaks needs it

        self.name = name
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what goes wrong is raised; nothing is printed
        try:
            self._session = ort.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise _refused(file, f"cannot be loaded ({type(error).__name__})") from error
        if [given.name for given in self._session.get_inputs()] != _INPUTS:
            raise _refused(file, "takes other inputs than a voice")
        about = self._session.get_modelmeta().custom_metadata_map
        if about.get("symbols") != " ".join(SYMBOLS):
            raise _refused(file, "knows other phones than this version")
        if about.get("sample_rate") != str(SAMPLE_RATE):
            raise _refused(file, f"is not of {SAMPLE_RATE} Hz")

    def say(self, symbols: Sequence[str], speed: float) -> NDArray[np.float32]:
        """See Voice."""
        ids = np.array([[IDS[symbol] for symbol in symbols]], np.int64)
        given = {
            "x": ids,
            "x_length": np.array([ids.shape[1]], np.int64),
            "noise_scale": np.array([_USUAL_NOISE], np.float32),
            "length_scale": np.array([1 / speed], np.float32),
            "noise_scale_w": np.ones(1, np.float32),
        }
        samples: NDArray[np.float32] = self._session.run(["y"], given)[0][0]
        return samples


def _refused(file: Path, why: str) -> ModelRefused:
    return ModelRefused(
        f"voice {file.name} in {file.parent.name} {why}",
        field="model",
        value=file.parent.name,
        remedy=_REMEDY,
    )


def checked(samples: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    """The samples, if they are speech. Raises EngineFailed for silence, emptiness and nonsense."""
    if samples.size == 0 or not np.isfinite(samples).all():
        raise EngineFailed(f"{name} gave no sound", field="voice", value=name)
    if float(np.abs(samples).max()) < _QUIETEST_PEAK:
        raise EngineFailed(f"{name} gave silence", field="voice", value=name)
    return samples


_QUIETEST_PEAK: Final = 1e-3  # -60 dB: no voice of ours says even "f" so quietly
