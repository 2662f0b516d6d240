"""What the voice gate leaves out and what it costs: `python -m training.vad.gate --help`.

Speech goes through seats, as on a node: utterances end at pauses, eight streams share a step.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scipy.signal import resample_poly

from edge_node.models import Store
from edge_node.sessions.heard import Heard, WordsForGood
from edge_node.sessions.utterances import Rules
from edge_node.stt.gatekeeper import Gatekeeper
from edge_node.stt.loading import load_engine
from edge_node.stt.seat import EndAsked, Seat
from edge_node.stt.vad import VoiceActivity
from heliovox.protocol.audio import AudioFormat
from shared.audio import encode
from training.stt import evalsets, places, shards
from training.stt.scoring import word_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_node.stt.engine import Engine, Samples, Stream
    from training.stt.augment import F32
    from training.stt.shards import Speech

BATCH: Final = 8
SETS: Final = ("an4", "own-telephone", "own-callcentre", "nobody")


class Caller:
    """One recording on its way."""

    def __init__(self, samples: F32, rate: int, engine: Engine, graph: str) -> None:
        audio = AudioFormat("pcm_s16le", rate)
        self.seat = Seat(audio, engine.profile, Rules.of(40.0))
        self.stream: Stream = engine.open(graph)
        self.heard: list[Heard] = []
        self.seat.push(encode(audio, samples))
        self.seat.push(EndAsked("", "finish"))
        self._engine = engine

    def turn(self) -> Samples | None:
        """The samples of the next step, handed to the engine."""
        told, ended, samples = self.seat.turn()
        self.hear(told, ended=ended)
        if samples is not None:
            self._engine.accept(self.stream, samples)
        return samples

    def hear(self, told: Sequence[Heard], *, ended: bool) -> None:
        """What a turn or a step brought."""
        self.heard += told
        if ended:
            self._engine.reset(self.stream)

    def words(self) -> str:
        """All that was heard for good."""
        finals = (one for one in self.heard if isinstance(one, WordsForGood))
        return " ".join(word.text for final in finals for word in final.words)


def step(callers: Sequence[Caller], engine: Engine, keeper: Gatekeeper | None) -> list[Caller]:
    """One step of each; those that have another one before them."""
    ready = [(one, samples) for one in callers if (samples := one.turn()) is not None]
    if ready:
        found = engine.step([one.stream for one, _ in ready])
        if keeper is not None:
            gates = []
            for (one, samples), tokens in zip(ready, found, strict=True):
                assert one.seat.gate is not None
                one.seat.gate.hear(samples, claimed=bool(tokens))
                gates.append(one.seat.gate)
            keeper.settle(gates)
        for (one, _), tokens in zip(ready, found, strict=True):
            told, ended = one.seat.stepped(tokens)
            one.hear(told, ended=ended)
    stepped = {id(one) for one, _ in ready}
    return [one for one in callers if id(one) in stepped or not one.seat.waits]


def hear(
    recordings: Sequence[F32], rate: int, engine: Engine, graph: str, keeper: Gatekeeper | None
) -> tuple[list[str], float]:
    """The words of each, and the CPU's milliseconds for a second of audio."""
    words: list[str] = []
    began_s = time.process_time()
    for start in range(0, len(recordings), BATCH):
        part = recordings[start : start + BATCH]
        callers = [Caller(samples, rate, engine, graph) for samples in part]
        for one in callers:
            if keeper is not None:
                one.seat.watch(keeper.rules)
        waiting = callers
        while waiting:
            waiting = step(waiting, engine, keeper)
        for one in callers:
            engine.close(one.stream)
        words += [one.words() for one in callers]
    audio_s = sum(map(len, recordings)) / rate
    return words, 1000 * (time.process_time() - began_s) / audio_s


def figures(speech: Sequence[Speech], heard: Sequence[str]) -> str:
    """Word errors, or words a minute where nobody speaks."""
    if not any(one.text for one in speech):
        counts: dict[str, list[int]] = {}
        for one, words in zip(speech, heard, strict=True):
            counts.setdefault(one.source, []).append(len(words.split()))
        rates = {kind: round(3 * sum(n) / len(n), 2) for kind, n in counts.items()}
        return f"words a minute {rates}"
    errors = sum(word_errors(words, one.text) for one, words in zip(speech, heard, strict=True))
    said = sum(len(one.text.split()) for one in speech)
    return f"WER {100 * errors / said:.2f} % of {said}, {sum(len(x.split()) for x in heard)} heard"


def main() -> None:
    """Prints each set with the gate off and on."""
    parser = places.parser(__doc__, assets=False)
    parser.add_argument("--model", type=Path, default=places.MODEL, help="folder of the model")
    parser.add_argument("--sets", nargs="+", default=SETS, help="below WORK/eval")
    parser.add_argument("--graph", default="telephone", help="'' for none")
    parser.add_argument("--rate", type=int, choices=(8000, 16000), default=16000)
    asked = parser.parse_args()
    engine = load_engine(asked.model, "onnx", "int8")
    keeper = Gatekeeper(VoiceActivity(Store().find("vad-silero").files["model"]))
    for name in asked.sets:
        speech = shards.read_speech(asked.work / "eval" / name)
        lone = name == "nobody"
        samples = [one.samples if lone else evalsets.surrounded(one.samples) for one in speech]
        if asked.rate == 8000:
            samples = [resample_poly(x, 1, 2).astype("float32") for x in samples]
        for label, gate in (("off", None), ("on", keeper)):
            heard, cost_ms = hear(samples, asked.rate, engine, asked.graph, gate)
            print(f"{name} gate {label}: {figures(speech, heard)}, {cost_ms:.1f} ms/s", flush=True)


if __name__ == "__main__":
    main()
