"""The recipe runs its stages in an order in which each finds what it needs."""

from __future__ import annotations

from pathlib import Path

from training.stt import run
from training.stt.run import Recipe

RECIPE = Recipe(Path("w"), Path("a"), Path("m"), steps=1000)


def test_every_stage_has_a_command_in_the_order_stated() -> None:
    assert tuple(run.commands(RECIPE)) == run.STAGES


def test_words_are_cut_by_a_network_that_is_a_quarter_trained() -> None:
    """And the rest of the training goes on from there to the same end."""
    commands = run.commands(RECIPE)
    assert commands["first"] == [*commands["rest"], "--until", "250"]


def test_every_stage_is_a_module_that_exists() -> None:
    folder = Path(run.__file__).parent
    for module, *_ in run.commands(RECIPE).values():
        assert (folder / f"{module}.py").exists()
