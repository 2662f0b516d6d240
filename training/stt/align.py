"""Cuts recordings into words by a trained network's alignment, and puts them together anew.

AN4 has few isolated digits and letters, and each of its sentences would otherwise be met hundreds
of times; words of one speaker in a new order cannot be learnt by heart.
`python -m training.stt.align --help`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import numpy as np
import torch

from training.stt import augment, places, recordings, shards
from training.stt.alignment import forced, quietest
from training.stt.corpus import Surroundings, copies, rng_for
from training.stt.evalsets import surrounded
from training.stt.export import load_network
from training.stt.features import SAMPLE_RATE, SUBSAMPLING, features
from training.stt.model import Recogniser
from training.stt.shards import Speech
from training.stt.splicing import QUIET, Cut, faded, sequences
from training.stt.tokens import Pieces

OUTPUT_SAMPLES: Final = SUBSAMPLING * SAMPLE_RATE // 100
LEAD_SAMPLES: Final = 4800
OFFSET_FRAMES: Final = -6
"""From an output's first feature frame to where its token is said: the network waits to be sure.
Found by trying: of 0, 4, 8, -2 and so on, this gave the most cuts that it recognised alone."""


def word_cuts(speech: Speech, network: Recogniser, pieces: Pieces) -> list[Cut]:
    """The words of a recording, cut at the quietest place between each two."""
    samples = surrounded(speech.samples)
    words = speech.text.split()
    groups = [pieces.encode(word) for word in words]
    with torch.no_grad():
        found = network(torch.from_numpy(features(samples))[None])[0].numpy()
    firsts = forced(found, [token for group in groups for token in group], pieces.blank)
    if firsts is None:
        return []
    step = SAMPLE_RATE // 100
    energy = np.square(samples[: len(samples) // step * step]).reshape(-1, step).mean(1)
    energy = np.convolve(energy, np.ones(3) / 3, "same").astype(np.float32)
    ends = np.cumsum([len(group) for group in groups])
    edges = [0]
    for last, following in zip(ends[:-1] - 1, ends[:-1], strict=True):
        left, right = (SUBSAMPLING * firsts[i] + OFFSET_FRAMES for i in (last, following))
        edges.append(quietest(energy, max(0, left), max(left + 1, right, 1)) * step)
    edges.append(len(samples))
    pairs = zip(words, edges, edges[1:], strict=False)
    cuts = (Cut(word, samples[start:end]) for word, start, end in pairs if end - start > 1600)
    return [cut for cut in cuts if alone(cut, network, pieces) == cut.word]


def alone(cut: Cut, network: Recogniser, pieces: Pieces) -> str:
    """What the network hears in a word alone: where it hears another, the cut is mostly wrong."""
    samples = surrounded(faded(augment.tight(cut.samples, QUIET)))
    with torch.no_grad():
        best = network(torch.from_numpy(features(samples))[None])[0].argmax(-1)
    return pieces.greedy(best.tolist()).strip()


def main() -> None:
    """Writes `cuts-copyN` feature shards beside the others."""
    parser = places.parser(__doc__)
    parser.add_argument("--copies", type=int, default=4, help="shards of about an hour")
    parser.add_argument("--per-speaker", type=int, default=20, help="utterances in each shard")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    network, pieces = load_network(asked.work / "checkpoint.pt"), Pieces(asked.work / "bpe.model")
    by_speaker: dict[str, list[Cut]] = defaultdict(list)
    for recording in recordings.an4(asked.assets, "train"):
        by_speaker[recording.source] += word_cuts(recording, network, pieces)
    print(f"{sum(map(len, by_speaker.values()))} words of {len(by_speaker)} speakers", flush=True)
    noises = list(recordings.noises(asked.assets, "train").values())
    for number in range(asked.copies):
        rng = rng_for("cuts", asked.seed, number)
        speech: list[Speech] = []
        for speaker, cuts in by_speaker.items():
            speech += sequences(cuts, f"cuts {speaker}", rng, asked.per_speaker)
        babble = [speech[i].samples for i in rng.integers(len(speech), size=40)]
        rows = copies(speech, rng, Surroundings(noises, babble), human=True)
        frames = shards.write_features(asked.work / "features" / f"cuts-copy{number}", rows)
        print(f"cuts copy {number}: {frames / 360_000:.2f} h", flush=True)


if __name__ == "__main__":
    main()
