"""What every caller's words are when nothing happens: the same audio, the same node software."""

import asyncio
from collections.abc import Callable, Sequence

from heliovox.client.client import Client
from heliovox.protocol import messages as m
from tests.chaos.speech import TELEPHONE, Speech
from tests.chaos.verdict import Told

AT_ONCE = 4
_PIECE = 4000


async def undisturbed(
    client: Client, speeches: Sequence[Speech], tell: Callable[[int], object]
) -> dict[str, list[Told]]:
    """All words by caller, heard as fast as the nodes can.

    Args:
        client: to a world that nobody hurts.
        speeches: what is said.
        tell: told how many are done.
    """
    found: dict[str, list[Told]] = {}
    turns = asyncio.Semaphore(AT_ONCE)

    async def hear(speech: Speech) -> None:
        async with turns:
            found[speech.name] = await _heard(client, speech)
            tell(len(found))

    async with asyncio.TaskGroup() as group:
        for speech in speeches:
            group.create_task(hear(speech), name=speech.name)
    return found


async def _heard(client: Client, speech: Speech) -> list[Told]:
    words: list[Told] = []
    async with client.session(audio=TELEPHONE, policy="eu-only", partials=False) as session:

        async def send() -> None:
            for at in range(0, len(speech.data), _PIECE):
                await session.send(speech.data[at : at + _PIECE])
            await session.finish()

        async with asyncio.TaskGroup() as group:
            group.create_task(send(), name=f"send {speech.name}")
            async for event in session:
                if isinstance(event, m.Final):
                    words += [(one.text, one.start_ms, one.end_ms) for one in event.words]
    return words
