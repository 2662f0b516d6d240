"""Requests that come twice, because the answer to the first was lost: answered alike, done once."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.clock import Clock
from shared.errors import InvalidMessage, Overloaded

T = TypeVar("T")
MOST = 10_000
"""Remembered; the oldest go first. Some 2 kB each."""
LONGEST_KEY = 255
HEADER = "Idempotency-Key"


@dataclass(slots=True)
class _Asked(Generic[T]):
    what: Hashable
    answer: asyncio.Future[T]
    until_s: float


class Repeats(Generic[T]):
    """The answers to keys that callers chose.

    A refusal is not remembered: whoever asks again wants to know how it is now.

    Args:
        most: keys.
    """

    def __init__(self, clock: Clock, most: int = MOST) -> None:
        self._clock, self._most = clock, most
        self._asked: OrderedDict[Hashable, _Asked[T]] = OrderedDict()
        self.repeated = 0
        """Requests that were answered with an earlier one's answer."""

    def __len__(self) -> int:
        return len(self._asked)

    async def once(
        self,
        key: Hashable,
        what: Hashable,
        work: Callable[[], Awaitable[T]],
        lives_s: Callable[[T], float],
    ) -> T:
        """What `work` returns, or returned for this key before, or will: it runs once.

        Args:
            key: the caller's.
            what: is asked for; another thing under the same key is refused.
            work: answers it.
            lives_s: how long an answer is remembered.

        Raises:
            InvalidMessage: the key was used for something else.
            Overloaded: no room for another key.
        """
        known = self._asked.get(key)
        if known is not None and known.until_s <= self._clock.now_s():
            del self._asked[key]
            known = None
        if known is None:
            return await self._first(key, what, work, lives_s)
        if known.what != what:
            raise InvalidMessage(
                "the key was used for another request",
                field=HEADER,
                remedy="use a new key for each session, and the same one only to ask again",
            )
        self.repeated += 1
        return await self._same(known)

    async def _first(
        self,
        key: Hashable,
        what: Hashable,
        work: Callable[[], Awaitable[T]],
        lives_s: Callable[[T], float],
    ) -> T:
        self._make_room()
        asked = _Asked[T](what, asyncio.get_running_loop().create_future(), float("inf"))
        self._asked[key] = asked
        try:
            answer = await work()
        except BaseException as error:
            del self._asked[key]
            if isinstance(error, Exception):
                asked.answer.set_exception(error)
                asked.answer.exception()  # nobody need be there to hear it
            else:
                asked.answer.cancel()
            raise
        asked.until_s = self._clock.now_s() + lives_s(answer)
        asked.answer.set_result(answer)
        return answer

    async def _same(self, known: _Asked[T]) -> T:
        await asyncio.wait([known.answer])
        if known.answer.cancelled():
            raise Overloaded("the first request of this key was given up", remedy="ask again")
        return known.answer.result()

    def _make_room(self) -> None:
        now_s = self._clock.now_s()
        while self._asked and (
            len(self._asked) >= self._most or next(iter(self._asked.values())).until_s <= now_s
        ):
            oldest = next((key for key, one in self._asked.items() if one.answer.done()), None)
            if oldest is None:
                raise Overloaded("too many requests with keys are under way", remedy="ask again")
            del self._asked[oldest]


def checked_key(key: str | None) -> str | None:
    """As a caller sent it. Raises InvalidMessage."""
    if key is None or (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        return key
    raise InvalidMessage(
        "no key to know a repeated request by",
        field=HEADER,
        value=key,
        remedy=f"1 to {LONGEST_KEY} printable ASCII characters, another for each session",
    )
