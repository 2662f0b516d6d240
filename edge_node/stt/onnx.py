"""The recogniser on onnxruntime: explicit states, whole batches, streams that can be moved."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_node.stt.checks import check_graph, check_step, steps_possible
from edge_node.stt.ctc import greedy
from edge_node.stt.decoding import Decoder, Decoding
from edge_node.stt.engine import Profile, Samples, Snapshot, Stream, Token
from edge_node.stt.features import BINS, Fbank, Features, span_samples
from edge_node.stt.geometry import Geometry
from edge_node.stt.network import Network, padded_size
from edge_node.stt.onnx_state import FORMAT, SavedStream, decode_state, encode_state
from edge_node.stt.pending import Pending
from edge_node.stt.rows import SPARE, Rows
from edge_node.stt.runtime import Provider, on_device
from edge_node.stt.snapshots import seal, unseal
from edge_node.stt.tables import Row
from shared.errors import ModelRefused, SnapshotRefused


@dataclass(slots=True, eq=False)
class OnnxStream:
    """One utterance on its way; its network state is row `row`."""

    row: int
    pending: Pending
    overlap: Features
    """The feature frames that the next window begins with, shape (overlap, bins)."""
    decoding: Decoding
    accepted: int = 0
    steps: int = 0
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Primed:
    """What every fresh stream starts from: the state behind a window full of silence."""

    states: tuple[Row, ...]
    overlap: Features
    last: int


class OnnxEngine:
    """CTC, greedy or with a graph, over a network with explicit states.

    Args:
        network: the model, loaded.
        profile: its facts for callers.
        geometry: how it walks over audio.
        decoder: its symbols to tokens.
        zero: the network's states at the very start, a row each.
        provider: where it runs.
    """

    def __init__(
        self,
        network: Network,
        profile: Profile,
        geometry: Geometry,
        decoder: Decoder,
        zero: Sequence[Row],
        provider: Provider,
    ) -> None:
        self._network, self._profile, self._geometry = network, profile, geometry
        self._decoder, self._provider = decoder, provider
        self._fbank = Fbank(geometry.shift)
        self._primed = self._prime(zero)
        self._rows = Rows(self._primed.states, provider)
        self._smallest = self._smallest_batch()
        self._warm_up()

    @property
    def profile(self) -> Profile:
        """The model's facts; constant."""
        return self._profile

    def open(self, graph: str = "") -> OnnxStream:
        """A fresh stream at sample 0."""
        check_graph(graph, self._profile)
        decoding = self._decoder.fresh(graph, self._primed.last)
        stream = OnnxStream(self._rows.take(), _silence(0), self._primed.overlap, decoding)
        self._freshen(stream)
        return stream

    def accept(self, stream: Stream, samples: Samples) -> None:
        """Appends audio; any length."""
        own = _own(stream)
        own.pending.append(samples)
        own.accepted += len(samples)

    def ready(self, stream: Stream) -> bool:
        """Whether a whole chunk waits."""
        own = _own(stream)
        return own.steps < steps_possible(own.accepted, self._profile)

    def step(self, streams: Sequence[Stream]) -> list[list[Token]]:
        """One chunk of each stream."""
        check_step(streams, self.ready, self._profile)
        return self._step([_own(stream) for stream in streams]) if streams else []

    def reset(self, stream: Stream) -> None:
        """The stream as fresh as after `open`."""
        own = _own(stream)
        self._rows.reset(own.row)
        self._freshen(own)

    def close(self, stream: Stream) -> None:
        """Frees what the stream holds."""
        own = _own(stream)
        own.closed = True
        own.pending = _silence(0)
        self._rows.give_back(own.row)

    def save(self, stream: Stream) -> Snapshot:
        """The stream as bytes."""
        own = _own(stream)
        states = self._rows.read(own.row)
        decoding = own.decoding
        saved = SavedStream(
            own.steps,
            decoding.last,
            decoding.graph,
            self._decoder.pack(decoding),
            own.pending.all(),
            own.overlap,
            states,
        )
        return seal(self._profile, FORMAT, own.accepted, encode_state(saved))

    def restore(self, snapshot: Snapshot) -> OnnxStream:
        """A stream that goes on where the snapshot was taken."""
        like = self._primed.overlap, self._primed.states
        saved = decode_state(unseal(self._profile, FORMAT, snapshot), *like)
        waiting = snapshot.sample - saved.steps * self._geometry.chunk_samples
        if len(saved.audio) != waiting + self._geometry.context_samples:
            raise SnapshotRefused(
                f"the snapshot holds {len(saved.audio)} samples for sample {snapshot.sample}",
                field="sample",
                value=snapshot.sample,
                remedy="fetch the snapshot again, or replay the audio from the last final",
            )
        decoding = self._decoder.unpack(saved.last, saved.graph, saved.beam)
        row = self._rows.take()
        self._rows.write(row, saved.states)
        pending = Pending(saved.audio)
        return OnnxStream(row, pending, saved.overlap, decoding, snapshot.sample, saved.steps)

    def _freshen(self, stream: OnnxStream) -> None:
        stream.pending = _silence(self._geometry.context_samples)
        stream.overlap = self._primed.overlap
        stream.decoding = self._decoder.fresh(stream.decoding.graph, self._primed.last)
        stream.accepted = stream.steps = 0

    def _step(self, streams: Sequence[OnnxStream]) -> list[list[Token]]:
        size = padded_size(len(streams), self._smallest, self._provider)
        rows = [stream.row for stream in streams] + [SPARE] * (size - len(streams))
        windows = self._windows(streams, size)
        logprobs, states = self._network.run(windows, self._rows.gather(rows))
        self._rows.scatter(rows, states)
        first = [self._geometry.first_token_frame(stream.steps) for stream in streams]
        for stream in streams:
            stream.steps += 1
        return self._decoder.tokens(logprobs, [stream.decoding for stream in streams], first)

    def _windows(self, streams: Sequence[OnnxStream], size: int) -> Features:
        """The next window of each stream, shape (size, bins, window); silence behind them."""
        span, chunk = span_samples(self._geometry.shift), self._geometry.chunk_samples
        new = self._fbank.compute([stream.pending.take(span, chunk) for stream in streams])
        overlap, shift = self._geometry.overlap, self._geometry.shift
        windows = np.zeros((size, self._geometry.window, BINS), np.float32)
        windows[: len(streams), overlap:] = new
        for window, stream in zip(windows, streams, strict=False):
            window[:overlap] = stream.overlap
            stream.overlap = window[shift:].copy()
        return np.ascontiguousarray(windows.transpose(0, 2, 1))

    def _prime(self, zero: Sequence[Row]) -> Primed:
        """Runs the network once over a window of silence."""
        silence = self._fbank.compute([np.zeros(span_samples(self._geometry.shift), np.float32)])
        frame = silence[0, 0]
        window = np.repeat(frame[None, :, None], self._geometry.window, axis=2)
        pair = np.repeat(window, 2, axis=0)  # in the order that every later step is computed in
        starts = [on_device(np.stack([row, row]), self._provider) for row in zero]
        logprobs, states = self._network.run(pair, starts)
        self._check_symbols(logprobs.shape)
        overlap = np.repeat(frame[None], self._geometry.overlap, axis=0)
        _, (last, _) = greedy(logprobs, [self._decoder.blank] * 2, self._decoder.blank)
        return Primed(tuple(state.numpy()[0] for state in states), overlap, last)

    def _smallest_batch(self) -> int:
        """1 if a lone stream is computed as it is beside another, bit for bit; otherwise 2.

        Tried on noise: another order of additions would show in some of its thousands of values.
        """
        noise = np.random.default_rng(0).normal(-8.0, 4.0, (1, BINS, self._geometry.window))
        features = noise.astype(np.float32)
        row = self._rows.take()
        alone, after = self._network.run(features, self._rows.gather([row]))
        pair = np.concatenate([features, features])
        beside, after_pair = self._network.run(pair, self._rows.gather([row, row]))
        self._rows.give_back(row)
        values = [
            (alone, beside),
            *((a.numpy(), b.numpy()) for a, b in zip(after, after_pair, strict=True)),
        ]
        return 1 if all(np.array_equal(one[0], two[0]) for one, two in values) else 2

    def _check_symbols(self, scored: tuple[int, ...]) -> None:
        frames = self._geometry.shift // self._geometry.subsampling
        wanted = (2, frames, self._decoder.symbols)
        if scored != wanted:
            raise ModelRefused(
                f"the model scores {scored} (streams, frames, symbols), its metadata say {wanted}",
                field="vocab_size",
                value=scored[-1],
                remedy="fetch the model again and verify its checksum",
            )

    def _warm_up(self) -> None:
        """A step at each size, so that no caller pays for first allocations."""
        size = 1
        while size <= self._profile.max_batch:
            streams = [self.open() for _ in range(size)]
            for stream in streams:
                chunk = self._profile.chunk_samples + self._profile.edge_samples
                self.accept(stream, np.zeros(chunk, np.float32))
            self.step(streams)
            for stream in streams:
                self.close(stream)
            size *= 2


def _silence(samples: int) -> Pending:
    return Pending(np.zeros(samples, np.float32))


def _own(stream: Stream) -> OnnxStream:
    if not isinstance(stream, OnnxStream) or stream.closed:
        raise ValueError("this stream is closed, or another engine's")
    return stream
