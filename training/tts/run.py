"""Everything about the voices, from nothing: letter rules, teacher speech, training, export.

Half an hour of one core. Stop it at any time: it goes on where it was. The data files of the front
end are made again only with --letters, as they hardly ever change.
"""

import argparse
import logging
from pathlib import Path

import torch

from edge_node.tts.phones import SYMBOLS
from training.tts.letters import make_letters
from training.tts.make_data import make
from training.tts.network import Shape
from training.tts.train import Plan, train

_SEEDS = (7, 8)
_STEPS = 4400
_FALLBACK_STEPS = 1500


def _data(work: Path, minutes: float) -> dict[str, tuple[Path, ...]]:
    """The teachers' speech, made where it is not there yet."""
    found: dict[str, tuple[Path, ...]] = {}
    for voice in ("female", "male"):
        paths = tuple(work / f"{voice}-{seed}.pkl" for seed in _SEEDS)
        for seed, path in zip(_SEEDS, paths, strict=True):
            if not path.exists():
                make(voice, minutes / len(_SEEDS), seed, path)
        found[voice] = paths
    return found


def _plans(data: dict[str, tuple[Path, ...]], steps: int) -> list[Plan]:
    whole = Shape(len(SYMBOLS))
    small = Shape(len(SYMBOLS), width=48, encoder_blocks=2, decoder_blocks=2)
    return [
        Plan("voice-en-female", data["female"], whole, steps),
        Plan("voice-en-male", data["male"], whole, steps),
        Plan("voice-en-fallback", data["female"], small, min(steps, _FALLBACK_STEPS)),
    ]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("training/scratch/tts"))
    parser.add_argument("--into", type=Path, default=Path("edge_node/models/embedded"))
    parser.add_argument("--minutes", type=float, default=80.0, help="of speech a teacher")
    parser.add_argument("--steps", type=int, default=_STEPS)
    parser.add_argument("--letters", action="store_true", help="make the front end's data again")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)  # two are slower than one at this size
    asked.work.mkdir(parents=True, exist_ok=True)
    if asked.letters:
        make_letters(Path("edge_node/tts/data"))
    for plan in _plans(_data(asked.work, asked.minutes), asked.steps):
        train(plan, asked.work, asked.into / plan.name)


if __name__ == "__main__":
    main()
