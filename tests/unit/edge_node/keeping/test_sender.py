"""What is sent ends when it should, however late it arrives; keys that are gone are waited for."""

import asyncio
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edge_node.keeping.outbox import Item, Outbox
from edge_node.keeping.sender import REFUSED_S, Sender
from shared.bus.memory import MemoryBus
from shared.content.records import Deletion
from shared.content.stream import content_stream
from shared.credentials import read_seed
from tests.support.virtual_time import run_virtually
from tests.unit.edge_node.keeping.stage import LoopClock

SUBJECT = "hv.content.r.n.s.transcripts"


class Listing(MemoryBus):
    """Remembers for how long each message was to be kept."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[tuple[str, int | None, bool]] = []

    async def keep(
        self,
        subject: str,
        data: bytes,
        message_id: str,
        timeout_s: float = 2.0,
        *,
        for_s: int | None = None,
        replaces: bool = False,
    ) -> int:
        self.times.append((message_id, for_s, replaces))
        return await super().keep(
            subject, data, message_id, timeout_s, for_s=for_s, replaces=replaces
        )


class Nobody:
    def settled(self, place: str, item: Item) -> None: ...

    def forget(self, session: str) -> None: ...

    def deleted(self, receipt: Deletion) -> None: ...


def item(name: str, until_ms: int, *, ends: bool = False) -> Item:
    return Item("s", SUBJECT, name, b"x", until_ms, ends=ends)


async def sent(items: list[Item], now_ms: int, bus: Listing) -> Sender:
    await bus.ensure_stream(content_stream(1 << 20))

    async def dial() -> MemoryBus:
        return bus

    sender = Sender(
        "r",
        dial,
        Outbox(1 << 20),
        LoopClock(),
        told=Nobody(),
        wall_ms=lambda: now_ms,
    )
    for one in items:
        sender.add(one)
    running = asyncio.get_running_loop().create_task(sender.run())
    await asyncio.sleep(1)
    running.cancel()
    await asyncio.wait([running])
    return sender


@given(
    left_ms=st.lists(st.integers(-5_000, 400 * 86_400_000), max_size=5),
    now_ms=st.integers(1, 2_000_000_000_000),
)
def test_nothing_is_kept_a_second_beyond_its_time(left_ms: list[int], now_ms: int) -> None:
    """And what is over before it is sent is not sent."""

    async def scene() -> None:
        bus = Listing()
        items = [item(str(number), now_ms + left) for number, left in enumerate(left_ms)]
        sender = await sent(items, now_ms, bus)
        due = [(str(number), left) for number, left in enumerate(left_ms) if left > 0]
        assert [name for name, _, _ in bus.times] == [name for name, _ in due]
        for (_, for_s, _), (_, left) in zip(bus.times, due, strict=True):
            assert for_s is not None
            assert 0 <= for_s * 1000 - left < 1000
        assert sender.outbox.dropped["too_late"] == len(left_ms) - len(due)

    run_virtually(scene())


def test_the_sign_that_ends_a_subject_goes_itself() -> None:
    async def scene() -> None:
        bus = Listing()
        await sent([item("end", 0, ends=True)], 10, bus)
        assert bus.times == [("end", 1, True)]

    run_virtually(scene())


def test_a_key_that_is_gone_is_waited_for(tmp_path: Path) -> None:
    async def scene() -> None:
        bus = MemoryBus()
        await bus.ensure_stream(content_stream(1 << 20))
        there = False

        async def dial() -> MemoryBus:
            if not there:
                read_seed(tmp_path / "gone")
            return bus

        sender = Sender(
            "r", dial, Outbox(1 << 20), LoopClock(),
            told=Nobody(), wall_ms=lambda: 0,
        )  # fmt: skip
        running = asyncio.get_running_loop().create_task(sender.run())
        sender.add(item("1", 9_000))
        await asyncio.sleep(REFUSED_S / 2)
        assert not running.done()
        assert len(sender.outbox) == 1
        there = True
        await asyncio.sleep(REFUSED_S)
        assert (len(sender.outbox), sender.kept) == (0, 1)
        running.cancel()
        await asyncio.wait([running])

    run_virtually(scene())
