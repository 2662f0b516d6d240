"""The whole recipe: `python -m training.stt.run --help`.

    corpus     speech and its features: about 20 minutes on two cores for the default amount
    voices     speech of the voices that ship
    first      the network, to a quarter of its steps
    cuts       AN4 cut into words by that network, put together anew
    rest       the network, to the end
    export     ONNX files: fp32, static int8, tokens, word pieces
    graphs     decoding graphs
    evaluate   the figures of the card

Each stage leaves alone what exists, so an interrupted run goes on where it was.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from training.stt import places

STAGES: Final = ("corpus", "voices", "first", "cuts", "rest", "export", "graphs", "evaluate")
FIRST_SHARE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Recipe:
    """How much of everything."""

    work: Path
    assets: Path
    into: Path
    shards: int = 40
    copies: int = 2
    an4_copies: int = 24
    steps: int = 8000
    threads: int = 2
    seed: int = 1


def commands(recipe: Recipe) -> dict[str, list[str]]:
    """The module and arguments of each stage, in order."""
    work, assets = ["--work", str(recipe.work)], ["--assets", str(recipe.assets)]
    seed = ["--seed", str(recipe.seed)]
    amount = ["--shards", str(recipe.shards), "--copies", str(recipe.copies)]
    amount += ["--an4-copies", str(recipe.an4_copies)]
    train = ["train", *work, *seed, "--threads", str(recipe.threads), "--steps", str(recipe.steps)]
    until = ["--until", str(round(recipe.steps * FIRST_SHARE))]
    return {
        "corpus": ["corpus", *work, *assets, *seed, *amount],
        "voices": ["own_voices", *work, *assets, *seed],
        "first": [*train, *until],
        "cuts": ["align", *work, *assets, *seed],
        "rest": train,
        "export": ["export", *work, "--into", str(recipe.into)],
        "graphs": ["graphs", *assets, "--model", str(recipe.into)],
        "evaluate": ["evaluate", *work, *assets, "--model", str(recipe.into)],
    }


def main() -> None:
    """Runs the stages asked for, in order; the first failure ends it."""
    parser = places.parser(__doc__)
    parser.add_argument("--into", type=Path, default=places.MODEL)
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--shards", type=int, default=40)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--stage", choices=STAGES, action="append", help="only this; may repeat")
    asked = parser.parse_args()
    recipe = Recipe(
        asked.work,
        asked.assets,
        asked.into,
        shards=asked.shards,
        steps=asked.steps,
        threads=asked.threads,
    )
    for stage, (module, *arguments) in commands(recipe).items():
        if stage in (asked.stage or STAGES):
            print(f"== {stage}", flush=True)
            command = [sys.executable, "-m", f"training.stt.{module}", *arguments]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
