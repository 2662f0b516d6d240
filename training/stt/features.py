"""Log-mel features exactly as sherpa-onnx 2.0.1 computes them for its NeMo CTC recogniser."""

from __future__ import annotations

from typing import Final

import kaldi_native_fbank as knf
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

SAMPLE_RATE: Final = 16_000
BINS: Final = 80
FRAMES_PER_S: Final = 100
SUBSAMPLING: Final = 4
"""Feature frames to an output of the network: sherpa-onnx's time stamps assume 4."""

PADDING: Final = -15.94
"""log of float32's epsilon: what the extractor says of digital silence."""


def _options() -> knf.FbankOptions:
    """The values sherpa-onnx sets for this model type: any other gives the network noise."""
    options = knf.FbankOptions()
    frame, mel = options.frame_opts, options.mel_opts
    frame.samp_freq = SAMPLE_RATE
    frame.dither = 0.0
    frame.snip_edges = False
    frame.window_type = "hann"
    frame.remove_dc_offset = False
    mel.num_bins = BINS
    mel.low_freq = 0.0
    mel.high_freq = 0.0
    mel.is_librosa = True
    return options


def features(samples: F32) -> F32:
    """Shape (frames, 80), a frame every 10 ms, of 16 kHz samples within +-1."""
    extractor = knf.OnlineFbank(_options())
    extractor.accept_waveform(SAMPLE_RATE, samples.tolist())
    extractor.input_finished()
    count = extractor.num_frames_ready
    if count == 0:
        return np.zeros((0, BINS), np.float32)
    return np.stack([extractor.get_frame(i) for i in range(count)]).astype(np.float32)
