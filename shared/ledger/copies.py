"""How a stretch of a ledger travels into its region's store (pure)."""

import msgspec

from shared.ledger.chain import Place


class Copy(msgspec.Struct, frozen=True):
    """Some records of one ledger, in their order."""

    log: str
    place: Place
    """Where the chain stood before them."""
    lines: tuple[str, ...]
    """Each as it was hashed."""
