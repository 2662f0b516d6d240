"""Nodes are told of every change, also where telling them fails at first. Virtual time."""

import asyncio

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from control_plane.bundles.service import Bundles
from shared.bus.memory import MemoryBus
from shared.clock import SystemClock
from shared.errors import BusFailed
from shared.exchange import Bundle, News
from shared.subjects import NEWS
from tests.support.virtual_time import run_virtually


class DeafBus(MemoryBus):
    """Fails to send as often as it is told."""

    failures = 0

    async def publish(self, subject: str, data: bytes) -> None:
        if self.failures:
            self.failures -= 1
            raise BusFailed("not now")
        await super().publish(subject, data)


async def announced(failures: int, *versions: str) -> list[str]:
    """What a node hears, five seconds for each version."""
    bus, heard, now = DeafBus(), list[str](), [""]
    bus.failures = failures

    async def hear(_subject: str, data: bytes) -> None:
        heard.append(msgspec.json.decode(data, type=News).version)

    await bus.beside().subscribe(NEWS, hear)
    key = Ed25519PrivateKey.generate()
    service = Bundles(bus, SystemClock(), lambda: Bundle(now[0], "p", "", (), (), 0, 60), key)
    running = asyncio.create_task(service.run(asyncio.Event()))  # noqa: TID251
    await asyncio.sleep(1)
    for version in versions:
        now[0] = version
        service.touched()
        await asyncio.sleep(5)
    running.cancel()
    assert service.announcements == len(heard)
    return heard


def test_every_change_is_announced_once() -> None:
    assert run_virtually(announced(0, "1", "1", "2", "1")) == ["1", "2", "1"]


def test_an_announcement_that_failed_is_made_again() -> None:
    assert run_virtually(announced(3, "1")) == ["1"]


def test_what_holds_by_then_is_announced() -> None:
    assert run_virtually(announced(7, "1", "2")) == ["2"]


def test_what_somebody_missed_is_announced_again() -> None:
    async def story() -> list[str]:
        bus, heard = DeafBus(), list[str]()

        async def hear(_subject: str, data: bytes) -> None:
            heard.append(msgspec.json.decode(data, type=News).version)

        await bus.beside().subscribe(NEWS, hear)
        key = Ed25519PrivateKey.generate()
        service = Bundles(bus, SystemClock(), lambda: Bundle("1", "p", "", (), (), 0, 60), key)
        running = asyncio.create_task(service.run(asyncio.Event()))  # noqa: TID251
        service.touched()
        await asyncio.sleep(5)
        service.tell_again()
        await asyncio.sleep(5)
        running.cancel()
        return heard

    assert run_virtually(story()) == ["1", "1"]
