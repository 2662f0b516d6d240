"""A bucket that JetStream keeps."""

import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing

from nats.aio.msg import Msg

from shared.bus import jetstream
from shared.bus.calls import Calls
from shared.bus.following import Follower
from shared.bus.matching import checked, checked_key
from shared.bus.model import Entry

_PUT_S = 2.0


class NatsKeyValues:
    """See KeyValues."""

    def __init__(self, calls: Calls, bucket: str) -> None:
        self._calls = calls
        self._stream, self._prefix = f"KV_{bucket}", f"$KV.{bucket}."

    async def get(self, key: str) -> Entry | None:
        """See KeyValues."""
        message = await self._last(key)
        if message is None or jetstream.is_deleted(message.headers):
            return None
        return Entry(key, message.data, _sequence(message))

    async def put(self, key: str, value: bytes) -> int:
        """See KeyValues."""
        return await self._store(key, value, {})

    async def create(self, key: str, value: bytes) -> int | None:
        """See KeyValues."""
        if (revision := await self.update(key, value, 0)) is not None:
            return revision
        message = await self._last(key)
        if message is None or not jetstream.is_deleted(message.headers):
            return None
        return await self.update(key, value, _sequence(message))

    async def update(self, key: str, value: bytes, revision: int) -> int | None:
        """See KeyValues."""
        try:
            return await self._store(key, value, {jetstream.EXPECTED_LAST: str(revision)})
        except jetstream.JetStreamFailed as error:
            if error.number in jetstream.WRONG_LAST:
                return None
            raise

    async def delete(self, key: str) -> None:
        """See KeyValues."""
        await self._store(key, b"", {jetstream.OPERATION: "DEL"})

    async def keys(self) -> tuple[str, ...]:
        """See KeyValues."""
        found = set()
        async with aclosing(self._watch(">")) as entries:
            async for entry in entries:
                if entry is None:
                    break
                if entry.value is not None:
                    found.add(entry.key)
        return tuple(sorted(found))

    def watch(self, keys: str = ">") -> AsyncIterator[Entry | None]:
        """See KeyValues."""
        return self._watch(checked(keys, pattern=True))

    async def _watch(self, keys: str) -> AsyncGenerator[Entry | None, None]:
        follower = Follower(self._calls, self._stream, self._prefix + keys, None, None)
        async with aclosing(follower.run()) as delivered:
            async for one in delivered:
                if one is None:
                    yield None
                    continue
                key = one.subject.removeprefix(self._prefix)
                yield Entry(key, None if one.deleted else one.data, one.sequence)

    async def _last(self, key: str) -> Msg | None:
        return await self._calls.last(self._stream, self._prefix + checked_key(key), None)

    async def _store(self, key: str, value: bytes, headers: Mapping[str, str]) -> int:
        """Asked again with one id, so that an answer that was lost changes nothing."""
        subject = self._prefix + checked_key(key)
        named = jetstream.headers_of(secrets.token_hex(16), None, replaces=False)
        return await self._calls.store(subject, value, _PUT_S, {**named, **headers})


def _sequence(message: Msg) -> int:
    return int((message.headers or {})["Nats-Sequence"])
