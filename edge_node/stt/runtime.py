"""onnxruntime, set up for many small streams on one thread. Never a silent fallback."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from shared.errors import ModelRefused

Provider = Literal["cpu", "cuda"]
DEVICES: dict[Provider, str] = {"cpu": "cpu", "cuda": "cuda"}
"""What an OrtValue's place is called."""
_NAMES: dict[Provider, str] = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


def session_from(model: Path | bytes, provider: Provider) -> ort.InferenceSession:
    """A session on this provider and no other.

    Raises:
        ModelRefused: no such provider here, or not a model this runtime can read.
    """
    _check_provider(provider)
    source = str(model) if isinstance(model, Path) else model
    name = model.name if isinstance(model, Path) else "a built-in graph"
    try:
        session = ort.InferenceSession(source, _options(), providers=[_NAMES[provider]])
    except Exception as error:  # the runtime's own exceptions have no common class
        raise ModelRefused(
            f"{name} cannot be loaded: {_first_line(error)}",
            field="model",
            value=name,
            remedy="fetch the model again and verify its checksum; a newer format than this "
            f"runtime's ({ort.__version__}) needs a newer node",
        ) from error
    if session.get_providers()[0] != _NAMES[provider]:
        raise _no_provider(provider, f"it did not start (got {session.get_providers()})")
    return session


def on_device(values: NDArray[Any], provider: Provider) -> ort.OrtValue:
    """The values where this provider computes; on the CPU that is the array itself."""
    return ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(values), DEVICES[provider], 0)


def _check_provider(provider: Provider) -> None:
    if provider not in _NAMES or _NAMES[provider] not in ort.get_available_providers():
        raise _no_provider(provider, "this onnxruntime has none")


def _no_provider(provider: str, why: str) -> ModelRefused:
    there = ", ".join(name for name in ort.get_available_providers())
    return ModelRefused(
        f"provider {provider} was asked for, and {why}; there are: {there}",
        field="provider",
        value=provider,
        remedy="install the gpu extra on a machine with CUDA, or ask for cpu",
    )


def _options() -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_mem_pattern = False  # a plan for every batch size would be kept for good
    options.log_severity_level = 3
    return options


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
