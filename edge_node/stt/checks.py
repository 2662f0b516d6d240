"""What every engine asks of those who call it."""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from edge_node.stt.engine import Profile, Samples
from shared.errors import Unsupported

S = TypeVar("S")


def finite(samples: Samples) -> Samples:
    """The same audio with silence for NaN and the rails for infinity.

    One NaN would stay in a stream's state for good.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        energy = samples.dot(samples)  # one fast pass, and nearly always the only one
    if math.isfinite(energy):
        return samples
    return np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)


def check_step(streams: Sequence[S], ready: Callable[[S], bool], profile: Profile) -> None:
    """Raises ValueError: too many streams, one twice, or one without a whole chunk."""
    if len(streams) > profile.max_batch:
        raise ValueError(f"{len(streams)} streams in a step of at most {profile.max_batch}")
    if len({id(stream) for stream in streams}) < len(streams):
        raise ValueError("a stream is twice in one step: take one chunk of each at a time")
    if not all(ready(stream) for stream in streams):
        raise ValueError("a stream of the step has no whole chunk: ask `ready` first")


def check_graph(graph: str, profile: Profile) -> None:
    """Raises Unsupported: neither "" nor one of the model's graphs."""
    if graph and graph not in profile.graphs:
        raise Unsupported(
            f"model {profile.model} has no graph {graph[:100]!r}",
            field="graph",
            value=graph,
            remedy=f"use one of: {', '.join(profile.graphs) or 'it has none'}; or none",
        )


def steps_possible(accepted: int, profile: Profile) -> int:
    """How many steps a stream of so many samples can have taken."""
    return max(0, (accepted - profile.edge_samples) // profile.chunk_samples)
