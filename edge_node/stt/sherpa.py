"""The recogniser on sherpa-onnx: its many model types, without saved streams.

sherpa-onnx ends the whole process where a model or an index is wrong, so files are checked before
they come here (`loading.py`), and chunks are counted here rather than asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sherpa_onnx

from edge_node.stt.checks import check_graph, check_step, finite, steps_possible
from edge_node.stt.engine import Profile, Samples, Snapshot, Stream, Token
from edge_node.stt.geometry import Geometry
from edge_node.stt.runtime import Provider
from shared.errors import ModelRefused, SnapshotRefused

TIMED_FRAME_S = 0.04
"""sherpa-onnx counts its times in frames of 4x subsampling, whatever the model's is."""


@dataclass(slots=True, eq=False)
class SherpaStream:
    """One utterance on its way."""

    inner: sherpa_onnx.OnlineStream | None
    accepted: int = 0
    steps: int = 0
    told: int = 0
    """Tokens already given out."""


class SherpaEngine:
    """sherpa-onnx's greedy search, stepped a chunk at a time.

    Token probabilities are sherpa-onnx's where it has them (transducers), else 1.0.
    """

    def __init__(
        self, recogniser: sherpa_onnx.OnlineRecognizer, profile: Profile, geometry: Geometry
    ) -> None:
        self._recogniser, self._profile, self._geometry = recogniser, profile, geometry
        self._silence = np.zeros(geometry.silence_samples, np.float32)
        self._warm_up()

    @property
    def profile(self) -> Profile:
        """The model's facts; constant."""
        return self._profile

    def open(self, graph: str = "") -> SherpaStream:
        """A fresh stream at sample 0; the silence before it is decoded with its first step."""
        check_graph(graph, self._profile)
        return SherpaStream(self._fresh())

    def accept(self, stream: Stream, samples: Samples) -> None:
        """Appends audio; any length."""
        own = _own(stream)
        _inner(own).accept_waveform(self._profile.sample_rate, finite(samples))
        own.accepted += len(samples)

    def ready(self, stream: Stream) -> bool:
        """Whether a whole chunk waits."""
        own = _own(stream)
        return own.steps < steps_possible(own.accepted, self._profile)

    def step(self, streams: Sequence[Stream]) -> list[list[Token]]:
        """One chunk of each stream."""
        check_step(streams, self.ready, self._profile)
        own = [_own(stream) for stream in streams]
        if fresh := [_inner(one) for one in own if one.steps == 0]:
            self._recogniser.decode_streams(fresh)
        if own:
            self._recogniser.decode_streams([_inner(one) for one in own])
        return [self._new_tokens(one) for one in own]

    def reset(self, stream: Stream) -> None:
        """The stream as fresh as after `open`."""
        own = _own(stream)
        own.inner = self._fresh()
        own.accepted = own.steps = own.told = 0

    def close(self, stream: Stream) -> None:
        """Frees what the stream holds."""
        _own(stream).inner = None

    def save(self, stream: Stream) -> Snapshot | None:
        """None: sherpa-onnx keeps its states to itself."""
        _own(stream)
        return None

    def restore(self, snapshot: Snapshot) -> SherpaStream:
        """Always refused, as nothing can have been saved here."""
        raise SnapshotRefused(
            "the sherpa engine restores no streams",
            field="format",
            value=snapshot.format,
            remedy="restore it on a node that runs the onnx engine",
        )

    def _fresh(self) -> sherpa_onnx.OnlineStream:
        inner = self._recogniser.create_stream()
        inner.accept_waveform(self._profile.sample_rate, self._silence)
        return inner

    def _new_tokens(self, stream: SherpaStream) -> list[Token]:
        inner = _inner(stream)
        texts = self._recogniser.tokens(inner)
        first, stream.told = stream.told, len(texts)
        stream.steps += 1
        if len(texts) == first:
            return []
        times_s = self._recogniser.timestamps(inner)
        logprobs = self._recogniser.ys_probs(inner) or [0.0] * len(texts)
        new = zip(texts[first:], times_s[first:], logprobs[first:], strict=True)
        return [self._token(text, time_s, logprob) for text, time_s, logprob in new]

    def _token(self, text: str, time_s: float, logprob: float) -> Token:
        frame = max(0, round(time_s / TIMED_FRAME_S) - self._geometry.silence_frames)
        spelled = "▁" + text[1:] if text.startswith(" ") else text
        return Token(spelled, frame, min(1.0, float(np.exp(logprob))))

    def _warm_up(self) -> None:
        streams = [self.open() for _ in range(self._profile.max_batch)]
        for stream in streams:
            self.accept(stream, np.zeros(self._profile.chunk_samples, np.float32))
        self.step(streams)


def recognise_ctc(model: Path, tokens: Path, provider: Provider) -> sherpa_onnx.OnlineRecognizer:
    """A streaming CTC model in NeMo's form."""
    return sherpa_onnx.OnlineRecognizer.from_nemo_ctc(
        model=str(model), tokens=str(tokens), num_threads=1, provider=provider
    )


def recognise_transducer(
    parts: Sequence[Path], tokens: Path, provider: Provider
) -> sherpa_onnx.OnlineRecognizer:
    """Encoder, decoder and joiner of any streaming transducer that sherpa-onnx knows."""
    encoder, decoder, joiner = (str(part) for part in parts)
    return sherpa_onnx.OnlineRecognizer.from_transducer(
        tokens=str(tokens),
        encoder=encoder,
        decoder=decoder,
        joiner=joiner,
        num_threads=1,
        provider=provider,
    )


def check_provider(provider: Provider) -> None:
    """Raises ModelRefused: the wheel is built for the CPU, and takes it in silence instead."""
    if provider != "cpu" and provider not in sherpa_onnx.__version__:
        raise ModelRefused(
            f"provider {provider} was asked for, and this sherpa-onnx "
            f"({sherpa_onnx.__version__}) is built for: cpu",
            field="provider",
            value=provider,
            remedy="use backend onnx, or install a CUDA build of sherpa-onnx",
        )


def _own(stream: Stream) -> SherpaStream:
    if not isinstance(stream, SherpaStream) or stream.inner is None:
        raise ValueError("this stream is closed, or another engine's")
    return stream


def _inner(stream: SherpaStream) -> sherpa_onnx.OnlineStream:
    assert stream.inner is not None
    return stream.inner
