"""The stream that holds a region's content."""

from shared import subjects
from shared.bus import Stream

REMEMBERED_S = 600.0
"""How long a message's id is: a node sends again what it heard no acknowledgement of, and it is
kept once. A store that was away for longer may have a piece twice; who reads sees it once."""


def content_stream(max_bytes: int) -> Stream:
    """A region's store. Full, it refuses: what is kept is not thrown away before its time.

    Args:
        max_bytes: on disk.
    """
    return Stream(
        subjects.CONTENT_STREAM,
        max_bytes,
        (f"{subjects.CONTENT}.>", f"{subjects.DELETED}.*"),
        duplicates_s=REMEMBERED_S,
        refuses_when_full=True,
        each_has_its_time=True,
    )
