"""How often a process looks for garbage that refers to itself."""

import gc

YOUNG = 10_000
"""Objects that may be made, and not gone again, between two looks at them; Python's own 700 would
look many times in the second in which a fleet of 1,000 nodes reports. More hold longer on to what
only a look can free, and a look takes longer: some two milliseconds at so many."""
_OLDER = 10
"""Looks at the young for one at those that stayed, and of those for one at all."""


def settle() -> None:
    """Call it once all is imported: what is there now stays, and is never looked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, _OLDER, _OLDER)
