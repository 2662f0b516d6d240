"""The voice activity model that ships, behind gates: in batches, the same for each."""

from dataclasses import replace

import numpy as np
import pytest

from edge_node.models import Store
from edge_node.stt.engine import Samples
from edge_node.stt.gate import Gate, GateRules
from edge_node.stt.gatekeeper import Gatekeeper
from edge_node.stt.speech import STEP_SAMPLES, WINDOWS_PER_STEP
from edge_node.stt.vad import MAX_BATCH, VoiceActivity

pytestmark = pytest.mark.model
RULES = replace(GateRules(), trust_steps=0)


@pytest.fixture(scope="module")
def keeper() -> Gatekeeper:
    return Gatekeeper(VoiceActivity(Store().find("vad-silero").files["model"]), RULES)


def sound(seed: int) -> Samples:
    rng = np.random.default_rng(seed)
    at = np.arange(6 * STEP_SAMPLES) / 16000
    tone = sum(np.sin(2 * np.pi * k * (110 + 9 * seed) * at) / k for k in range(1, 20))
    wave = 0.1 * tone * (np.sin(2 * np.pi * 3 * at) > 0) + rng.normal(0, 0.002, len(at))
    return np.asarray(wave, np.float32)


def followed(keeper: Gatekeeper, sounds: list[Samples]) -> list[dict[int, bool]]:
    gates = [Gate(RULES, 16000) for _ in sounds]
    for at in range(0, len(sounds[0]), STEP_SAMPLES):
        for number, (gate, samples) in enumerate(zip(gates, sounds, strict=True)):
            claimed = at // STEP_SAMPLES == number % 4
            gate.hear(samples[at : at + STEP_SAMPLES], claimed=claimed)
        keeper.settle(gates)
    return [gate._holds_speech for gate in gates]


def test_a_gate_sees_the_same_whoever_is_beside_it(keeper: Gatekeeper) -> None:
    """Also where so many ask at once that they do not fit into one call of the model."""
    sounds = [sound(seed) for seed in range(4)]
    together = followed(keeper, sounds * (MAX_BATCH // 4 + 1))
    for number, one in enumerate(sounds):
        alone = Gate(RULES, 16000)
        for at in range(0, len(one), STEP_SAMPLES):
            alone.hear(one[at : at + STEP_SAMPLES], claimed=at // STEP_SAMPLES == number)
            keeper.settle([alone])
        assert alone._holds_speech == together[number]
        assert len(alone._holds_speech) >= WINDOWS_PER_STEP


def test_a_tone_is_nobody(keeper: Gatekeeper) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(4 * STEP_SAMPLES) / 16000).astype(np.float32) / 4
    gate = Gate(RULES, 16000)
    for at in range(0, len(tone), STEP_SAMPLES):
        gate.hear(tone[at : at + STEP_SAMPLES], claimed=True)
        keeper.settle([gate])
    assert not gate.spoken(2 * STEP_SAMPLES, 2 * STEP_SAMPLES + 640)
