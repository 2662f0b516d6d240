"""Builds the recogniser's decoding graphs: `python -m training.stt.graphs --help`.

`telephone` expects what the grammars of training say, and AN4's training text; other words stay
possible. `digits` knows digits alone. Both are small enough to be read by people.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_node.models.sums import write_sums
from heliovox.local import phrases
from training.stt import places, text
from training.stt.arpa import Counts, Estimates, to_arpa
from training.stt.recordings import manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from training.stt.text import Domain

SEED: Final = 20_261_121
SENTENCES: Final = 40_000
SHARES: Final[dict[Domain, float]] = {
    "telephone": 0.5,
    "callcentre": 0.25,
    "spelling": 0.15,
    "isolated": 0.1,
}
AN4_TIMES: Final = 20
"""So often AN4's 900 or so training sentences count: about a third of all."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a graph is made."""

    sentences: Callable[[Path], Iterator[str]]
    order: int
    unknown: float
    """The probability of words that are in no sentence; 0 makes them impossible."""
    weights: Mapping[str, float]
    """What `edge_node.stt.histories.Weights` says of them."""


def telephone(assets: Path) -> Iterator[str]:
    """The training split alone: texts of the evaluation sets are not among them."""
    rng = random.Random(SEED)
    domains, shares = list(SHARES), list(SHARES.values())
    for domain in rng.choices(domains, shares, k=SENTENCES):
        yield text.draw(rng, domain, "train")
    for row in manifest(assets, "an4"):
        if row["split"] == "train":
            yield from [row["text"].lower()] * AN4_TIMES


def digits(_assets: Path) -> Iterator[str]:
    """Every digit as likely as any other, whatever was before."""
    yield from (*phrases.DIGITS, "oh")


RECIPES: Final[dict[str, Recipe]] = {
    "telephone": Recipe(
        telephone, 2, 1e-3, {"scale": 0.3, "bonus": 0.5, "unknown": -2.0, "letter": -0.5}
    ),
    "digits": Recipe(digits, 1, 0.0, {"scale": 1.0, "bonus": 4.0}),
}


def built(recipe: Recipe, assets: Path) -> str:
    """The graph as ARPA text; equal recipes, equal texts."""
    counts = Counts(recipe.sentences(assets), recipe.order)
    return to_arpa(Estimates(counts, recipe.unknown), recipe.weights)


def main() -> None:
    """Writes every graph into the model's folder."""
    parser = places.parser(__doc__)
    parser.add_argument("--model", type=Path, default=places.MODEL, help="folder of the model")
    asked = parser.parse_args()
    folder: Path = asked.model / "graphs"
    folder.mkdir(parents=True, exist_ok=True)
    for name, recipe in RECIPES.items():
        path = folder / f"{name}.arpa"
        path.write_text(built(recipe, asked.assets), encoding="utf-8")
        print(f"{path}: {path.stat().st_size / 1e3:.1f} kB")
    write_sums(asked.model)


if __name__ == "__main__":
    main()
