"""Averages an exported model with what was trained on from it: `python -m training.stt.blend`.

Training on with other shares of data gains there and loses elsewhere. Weights that lie between the
two, both of which descend from the first, keep most of either (Wortsman et al. 2022, "Robust
fine-tuning of zero-shot models", average them so).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from training.stt import places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

_AVERAGED = "module."


def blended(
    before: Mapping[str, Tensor], after: Mapping[str, Tensor], share: float
) -> dict[str, Tensor]:
    """Weights at `share` of the way from one network to the other; counters are the latter's.

    Raises ValueError where the two have not the same parts.
    """
    if before.keys() != after.keys():
        raise ValueError(f"networks differ in {sorted(before.keys() ^ after.keys())[:5]}")
    return {
        name: before[name].lerp(value, share) if value.is_floating_point() else value
        for name, value in after.items()
    }


def main() -> None:
    """Writes the checkpoint that `python -m training.stt.export` makes a model of."""
    parser = places.parser(__doc__, assets=False)
    parser.add_argument(
        "--before", type=Path, required=True, help="checkpoint as training.stt.recover made it"
    )
    parser.add_argument("--share", type=float, default=0.5, help="of what was trained on, 0 to 1")
    asked = parser.parse_args()
    path = asked.work / "checkpoint.pt"
    after = torch.load(path, map_location="cpu", weights_only=True)
    before = torch.load(asked.before, map_location="cpu", weights_only=True)["network"]
    averaged = {
        name.removeprefix(_AVERAGED): value
        for name, value in after["average"].items()
        if name.startswith(_AVERAGED)
    }
    path.replace(asked.work / "checkpoint.unblended.pt")
    network = blended(before, averaged, asked.share)
    torch.save({"shape": after["shape"], "network": network}, path)
    print(f"{path}: {asked.share:g} of the way from {asked.before}")


if __name__ == "__main__":
    main()
