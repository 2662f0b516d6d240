"""Reports: every second, on every change, never closer than 50 ms, and once more at the end."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import msgspec

from edge_node.capacity.reports import CLOSEST_S, Reports
from shared.capacity import PERIOD_S, CapacityReport
from shared.errors import BusFailed
from tests.support.virtual_time import LoopClock, run_virtually

REPORT = CapacityReport("n-1", "eu", "b", 0, 0, "ws://here/v1/stream", "1", {}, 5)
MARGIN_S = 1e-6


class Listener:
    def __init__(self) -> None:
        self.heard: list[tuple[float, CapacityReport]] = []
        self.connected, self.broken = True, False
        self.reports = Reports(self.read, self.publish, lambda: self.connected, LoopClock())

    def read(self, seq: int, goodbye: bool) -> CapacityReport:
        return msgspec.structs.replace(REPORT, seq=seq, goodbye=goodbye)

    async def publish(self, data: bytes) -> None:
        if self.broken:
            raise BusFailed("gone")
        report = msgspec.json.decode(data, type=CapacityReport)
        self.heard.append((asyncio.get_running_loop().time(), report))

    def times_s(self) -> list[float]:
        return [round(at_s, 6) for at_s, _ in self.heard]


def run(scene: Callable[[Listener], object], lasts_s: float) -> Listener:
    async def whole() -> Listener:
        listener = Listener()
        running = asyncio.ensure_future(listener.reports.run(asyncio.Event()))  # noqa: TID251
        scene(listener)
        await asyncio.sleep(lasts_s)
        running.cancel()
        await asyncio.wait([running])
        return listener

    return run_virtually(whole())


def later(at_s: float, call: Callable[[], object]) -> None:
    asyncio.get_running_loop().call_later(at_s, call)


def test_once_a_second_and_a_goodbye() -> None:
    listener = run(lambda _: None, 2.5)
    assert listener.times_s() == [0.0, PERIOD_S, 2 * PERIOD_S, 2.5]
    assert [report.goodbye for _, report in listener.heard] == [False, False, False, True]
    assert [report.seq for _, report in listener.heard] == [1, 2, 3, 4]


def test_a_change_is_told_at_once() -> None:
    listener = run(lambda one: later(0.4, one.reports.changed), 0.5)
    assert listener.times_s() == [0.0, 0.4, 0.5]


def test_many_changes_are_told_together() -> None:
    """A thousand in a second make 20 reports, and the last change is in the last one."""

    def scene(listener: Listener) -> None:
        for at_ms in range(1000):
            later(at_ms / 1000, listener.reports.changed)

    listener = run(scene, 1.2)
    times_s = listener.times_s()[:-1]
    assert all(b - a >= CLOSEST_S - MARGIN_S for a, b in pairwise(times_s))
    assert 19 <= len(times_s) <= 22
    assert any(at_s >= 0.999 for at_s in times_s)


def test_nobody_hears_what_was_true_while_the_bus_was_away() -> None:
    def scene(listener: Listener) -> None:
        listener.connected = False
        later(2.9, lambda: setattr(listener, "connected", True))

    listener = run(scene, 3.5)
    assert listener.times_s()[0] >= 2.9


def test_a_bus_that_fails_is_tried_again() -> None:
    def scene(listener: Listener) -> None:
        listener.broken = True
        later(1.5, lambda: setattr(listener, "broken", False))

    assert run(scene, 2.5).times_s() == [2.0, 2.5]
