"""Calls to JetStream over a link: short waits, and asking again."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from nats.aio.msg import Msg

from shared.bus import jetstream
from shared.bus.link import Link, NoAnswer, NobodyThere
from shared.errors import BusFailed

ATTEMPT_S = 0.5
"""A lost answer is asked for again after so long."""
CALL_S = 5.0
"""All attempts together."""


class Calls:
    """JetStream, asked over one link."""

    def __init__(self, link: Link) -> None:
        self.link = link

    async def call(self, verb: str, body: Mapping[str, Any], domain: str | None) -> dict[str, Any]:
        """A call of the API that may be repeated. Raises JetStreamFailed, BusFailed."""
        subject = jetstream.api(verb, domain)
        answered = await self.ask(subject, json.dumps(body).encode(), CALL_S)
        return jetstream.answer(answered.data, verb)

    async def ask(
        self, subject: str, data: bytes, within_s: float, headers: Mapping[str, str] | None = None
    ) -> Msg:
        """An answer to what may be asked repeatedly. Raises BusFailed."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    try:
                        return await self.link.ask(subject, data, ATTEMPT_S, headers)
                    except NoAnswer:
                        await asyncio.sleep(0)
        except TimeoutError:
            raise NoAnswer(f"no answer on {subject} within {within_s:g} s") from None

    async def store(
        self, subject: str, data: bytes, within_s: float, headers: Mapping[str, str]
    ) -> int:
        """Publishes to whichever stream keeps the subject. Returns the sequence there."""
        try:
            answered = await self.ask(subject, data, within_s, headers)
        except NobodyThere:
            raise BusFailed(f"no stream keeps {subject}") from None
        return int(jetstream.answer(answered.data, f"keeping {subject}")["seq"])

    async def last(self, stream: str, subject: str, domain: str | None) -> Msg | None:
        """The latest message of one subject; None where there is none."""
        verb = jetstream.api(f"DIRECT.GET.{stream}.{subject}", domain)
        message = await self.ask(verb, b"", CALL_S)
        status = (message.headers or {}).get(jetstream.STATUS)
        if status == "404":
            return None
        if status is not None:
            raise BusFailed(f"{subject} of {stream}: status {status}")
        return message

    async def count(self, stream: str, subject: str) -> dict[str, int]:
        """Stored messages by subject; the server tells them in portions."""
        counts: dict[str, int] = {}
        while True:
            body = {"subjects_filter": subject, "offset": len(counts)}
            told = await self.call(f"STREAM.INFO.{stream}", body, None)
            portion = told["state"].get("subjects") or {}
            counts |= portion
            if not portion or len(counts) >= int(told.get("total", 0)):
                return counts

    async def erase(self, stream: str, sequence: int) -> None:
        """Overwrites one message."""
        try:
            await self.call(f"STREAM.MSG.DELETE.{stream}", {"seq": sequence}, None)
        except jetstream.JetStreamFailed as error:
            if error.number not in jetstream.GONE:
                raise

    async def purge(self, stream: str, subject: str) -> int:
        """Drops messages by subject. Returns how many."""
        return int((await self.call(f"STREAM.PURGE.{stream}", {"filter": subject}, None))["purged"])
