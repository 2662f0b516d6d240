"""What became of a report."""

from typing import Literal

import msgspec

from shared.errors import VoiceError

HeardCode = Literal[
    "applied",
    "beat",
    "removed",
    "out_of_order",
    "other_boot",
    "gone",
    "malformed",
    "unknown_region",
    "region_changed",
    "not_its_name",
    "fleet_full",
]
"""`applied`: what decisions depend on changed. `beat`: the node lives, nothing changed.
`removed`: it said goodbye. `out_of_order`: older than the last. `other_boot`: a second boot under
the name of a node that still reports. `gone`: of a boot that had said goodbye. The rest refuse."""


class Heard(msgspec.Struct, frozen=True):
    """What the fleet did with a report; counted by code, and logged where `error` is there."""

    code: HeardCode
    node: str
    error: VoiceError | None = None
    """Why it was refused: field, value, remedy."""

    @property
    def refused(self) -> bool:
        """Whether the report was not believed."""
        return self.error is not None
