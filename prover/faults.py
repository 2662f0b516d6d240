"""Changes of the router's source, each of which makes it unlawful or wrong in one way."""

from prover.planting import Fault

FAULTS: tuple[Fault, ...] = ()
