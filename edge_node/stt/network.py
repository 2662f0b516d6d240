"""The acoustic network: features and states in, log-probabilities and next states out."""

from collections.abc import Sequence

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from edge_node.stt.runtime import DEVICES, Provider

LogProbs = NDArray[np.float32]


class Network:
    """One onnxruntime session in the shape of sherpa-onnx's streaming NeMo CTC models.

    Its inputs and outputs are known by their places: features, length, then three states in; log
    probabilities, lengths, then the three next states out.
    """

    def __init__(self, session: ort.InferenceSession, provider: Provider) -> None:
        self._session, self._device = session, DEVICES[provider]
        self._inputs = [one.name for one in session.get_inputs()]
        self._outputs = [one.name for one in session.get_outputs()]

    def run(
        self, features: NDArray[np.float32], states: Sequence[ort.OrtValue]
    ) -> tuple[LogProbs, list[ort.OrtValue]]:
        """One step of a batch.

        Args:
            features: shape (streams, bins, frames).
            states: of the same streams, on the device; the next ones stay there too.

        Returns:
            Log-probabilities, shape (streams, token frames, symbols), and the next states.
        """
        binding = self._session.io_binding()
        lengths = np.full(len(features), features.shape[2], np.int64)
        binding.bind_cpu_input(self._inputs[0], features)
        binding.bind_cpu_input(self._inputs[1], lengths)
        for name, state in zip(self._inputs[2:], states, strict=True):
            binding.bind_ortvalue_input(name, state)
        binding.bind_output(self._outputs[0], "cpu")
        binding.bind_output(self._outputs[1], "cpu")
        for name in self._outputs[2:]:
            binding.bind_output(name, self._device)
        self._session.run_with_iobinding(binding)
        outputs = binding.get_outputs()
        return outputs[0].numpy(), list(outputs[2:])


def padded_size(streams: int, smallest: int, provider: Provider) -> int:
    """The batch size that a step of so many streams is computed at.

    On a CPU a lone row may be multiplied in another order than several (`smallest` is then 2), and
    beyond that the size changes no bit. On a GPU the library picks its kernels by size, so there
    are few sizes: powers of two.
    """
    if provider == "cpu":
        return max(smallest, streams)
    return max(smallest, 1 << (streams - 1).bit_length())
