"""In which order those who wait are served, were nobody to come or go. Pure."""

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from control_plane.waiting.shares import SEAT


class Entry(NamedTuple):
    """Somebody who waits."""

    number: int
    tenant: str
    same_line: bool
    """Whether he stands in the line that is looked at."""


def in_order(
    entries: Sequence[Entry], behind: Mapping[str, int], weight: Callable[[str], int]
) -> Iterator[Entry]:
    """Tenants by weight, the least behind first, then the oldest.

    Args:
        entries: the oldest first.
        behind: how far each of their tenants is behind, in parts of SEAT.
        weight: of a tenant.
    """
    waiting: dict[str, deque[Entry]] = {}
    for entry in entries:
        waiting.setdefault(entry.tenant, deque()).append(entry)
    later = [(behind[tenant], queue[0].number, tenant) for tenant, queue in waiting.items()]
    heapq.heapify(later)
    due: list[tuple[int, str]] = []
    now = 0
    while due or later:
        while later and later[0][0] <= now:
            _, number, tenant = heapq.heappop(later)
            heapq.heappush(due, (number, tenant))
        if not due:
            now = later[0][0]
            continue
        _, tenant = heapq.heappop(due)
        queue = waiting[tenant]
        yield queue.popleft()
        if queue:
            heapq.heappush(later, (now + SEAT // weight(tenant), queue[0].number, tenant))
