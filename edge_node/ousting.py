"""The way out of a session that newer rules forbid here: in order, and within a time."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from edge_node.centre.review import Ruling
from edge_node.desk import Elsewhere, Question
from heliovox.protocol.messages import Error, Redirect
from shared.errors import NoLongerAllowed, VoiceError

OUST_S = 5.0
"""From the new rules to the last word of a session that they forbid. Longer, and audio of an
utterance is heard for longer where that is not lawful any more; shorter cuts words that were
heard already on a busy node."""


class Leaving(Protocol):
    """A session on its way out."""

    left: asyncio.Event
    """It is over."""

    @property
    def moved(self) -> bool:
        """Whether it went to another node."""
        ...

    def part(self, words: Error | Redirect) -> None:
        """Its last words, told once those that were heard are."""
        ...

    def refuse(self, error: VoiceError) -> None:
        """It ends at once."""
        ...

    def not_needed(self, found: Elsewhere) -> None:
        """A seat elsewhere is not taken."""
        ...


async def oust(session: Leaving, ruling: Ruling, question: Callable[[], Question] | None) -> None:
    """Sees a session out.

    Args:
        session: that was told to end at its present utterance.
        ruling: what forbids it.
        question: for a lawful seat elsewhere; None where none is looked for.
    """
    found: Elsewhere | None = None
    try:
        async with asyncio.timeout(OUST_S):
            if question is not None:
                words, found = await _look(question, ruling)
                session.part(words)
            await session.left.wait()
    except TimeoutError:
        session.refuse(ruling.error)
    finally:
        if found is not None and not session.moved:
            session.not_needed(found)


async def _look(
    question: Callable[[], Question], ruling: Ruling
) -> tuple[Error | Redirect, Elsewhere | None]:
    try:
        found = await question().settle(lambda _: None)
    except VoiceError as error:
        return nowhere(ruling, error.message).as_message(), None
    if not isinstance(found, Elsewhere):
        return nowhere(ruling, "the control plane knows this node alone").as_message(), None
    answer = found.answer
    redirect = Redirect(
        answer.url, answer.ticket, answer.node, answer.region, answer.decision, found.reason
    )
    return redirect, found


def nowhere(ruling: Ruling, why: str) -> NoLongerAllowed:
    """The error for a session that should be moved, and cannot be."""
    error = ruling.error
    return NoLongerAllowed(
        f"{error.message}; no other node takes it now: {why}",
        field=error.field,
        value=error.value,
        remedy=error.remedy,
    )
