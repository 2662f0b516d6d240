"""Weights between two networks of one descent."""

import pytest

torch = pytest.importorskip("torch", reason="needs the training environment")

from training.stt.blend import blended  # noqa: E402 - after the skip


def test_weights_lie_between_and_counters_are_the_latter() -> None:
    before = {"w": torch.tensor([0.0, 4.0]), "steps": torch.tensor(3)}
    after = {"w": torch.tensor([1.0, 0.0]), "steps": torch.tensor(9)}
    mixed = blended(before, after, 0.25)
    assert mixed["w"].tolist() == [0.25, 3.0]
    assert mixed["steps"].item() == 9


def test_networks_of_other_parts_are_refused() -> None:
    with pytest.raises(ValueError, match="differ"):
        blended({"w": torch.zeros(1)}, {"v": torch.zeros(1)}, 0.5)
