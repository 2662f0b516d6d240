"""Runs one voice activity model for the gates of many streams, in batches."""

from collections.abc import Iterator, Sequence

from edge_node.stt.gate import Gate, GateRules
from edge_node.stt.vad import MAX_BATCH, VoiceActivity


class Gatekeeper:
    """Used from the device's thread, after every step of the recogniser."""

    def __init__(self, activity: VoiceActivity, rules: GateRules | None = None) -> None:
        self.rules = rules or GateRules()
        self.activity = activity

    def settle(self, gates: Sequence[Gate]) -> None:
        """Lets the model hear what any of the gates asks for."""
        listening = [gate for gate in gates if self._hand_over(gate)]
        while listening:
            for part in _parts(listening):
                streams = [gate.vad for gate in part if gate.vad is not None]
                for gate, probabilities in zip(part, self.activity.step(streams), strict=True):
                    gate.saw(probabilities)
            listening = [gate for gate in listening if self._ready(gate)]

    def _hand_over(self, gate: Gate) -> bool:
        for samples in gate.take_due():
            if gate.vad is None:
                gate.vad = self.activity.open(gate.caller_hz)
            self.activity.accept(gate.vad, samples)
        return self._ready(gate)

    def _ready(self, gate: Gate) -> bool:
        return gate.vad is not None and self.activity.ready(gate.vad)


def _parts(gates: Sequence[Gate]) -> Iterator[Sequence[Gate]]:
    for start in range(0, len(gates), MAX_BATCH):
        yield gates[start : start + MAX_BATCH]
