"""The port with a voice and checks that misbehave as told, over loopback."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
import pytest

from edge_node.desk import Accounts
from edge_node.protocols.connections import Door
from edge_node.protocols.gathering import Gatherer
from edge_node.protocols.http import HttpNode, make_app
from edge_node.protocols.moderation import GatherRules
from edge_node.protocols.registry import ConnectionLimits, Registry
from edge_node.protocols.sockets import SocketLimits
from edge_node.protocols.speech import SpeechOffer
from edge_node.server import door_config
from edge_node.tts.events import SpeechChunk, VoiceSwitch
from shared.clock import SystemClock
from shared.errors import EngineFailed
from shared.server import HttpServer, listen

pytestmark = pytest.mark.anyio
LIMIT_S = 10.0
KEY = {"Authorization": "Bearer good"}


class Voice:
    """Says a clause, waits, then breaks if told so."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.clauses, self.breaks = 2, False
        self.closed = asyncio.Event()

    async def speak(
        self, text: str, voice: str, speed: float
    ) -> AsyncIterator[SpeechChunk | VoiceSwitch]:
        try:
            for _ in range(self.clauses):
                yield SpeechChunk(np.zeros(1600, np.float32), 16000)
                await self.go_on.wait()
            if self.breaks:
                raise EngineFailed("the voice broke")
        finally:
            self.closed.set()


class Place:
    def __init__(self) -> None:
        self.voice = Voice()
        self.wrong: str | None = None
        self.draining = False
        self.http = HttpNode(
            name="n-1",
            accounts=Accounts(lambda key: key == "good"),
            speaker=self.voice,
            offer=SpeechOffer(("eve",), 100),
            checks={"ear": lambda: self.wrong, "voice": lambda: None},
            draining=lambda: self.draining,
            max_speeches=1,
        )
        self.registry = Registry(ConnectionLimits(), SystemClock())

    def door(self) -> Door:
        def converse(_peer: Any, _shown: Any) -> Any:
            raise AssertionError("no WebSocket is opened here")

        return Door(
            app=make_app(self.http),
            registry=self.registry,
            gatherer=Gatherer(GatherRules(), SystemClock()),
            doubt=lambda _: None,
            converse=converse,
            limits=SocketLimits(),
            node="n-1",
        )


@asynccontextmanager
async def served(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    ready = asyncio.Event()
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        serving = group.create_task(
            HttpServer(listener, lambda: door_config(place.door())).run(ready)
        )
        await ready.wait()
        async with httpx.AsyncClient(base_url=url, headers=KEY, trust_env=False) as client:
            yield client
        serving.cancel()


async def test_readiness_names_the_part_that_fails() -> None:
    place = Place()
    async with served(place) as client:
        assert (await client.get("/readyz")).status_code == 200
        place.wrong = "the ear is gone"
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        checks = {"ear": "the ear is gone", "voice": "ok"}
        assert answer.json() == {"ready": False, "checks": checks}


async def test_audio_leaves_before_the_last_is_made() -> None:
    place = Place()
    body = {"text": "hi", "format": "raw"}
    async with served(place) as client, client.stream("POST", "/v1/speech", json=body) as answer:
        pieces = answer.aiter_raw()
        assert len(await anext(pieces)) == 3200
        place.voice.go_on.set()
        assert sum([len(piece) async for piece in pieces]) == 3200


async def test_speech_that_breaks_does_not_look_whole() -> None:
    place = Place()
    place.voice.breaks = True
    place.voice.go_on.set()
    async with served(place) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post("/v1/speech", json={"text": "hi"})
        assert place.http.speeches == 0


async def test_speech_that_breaks_at_once_is_a_typed_error() -> None:
    place = Place()
    place.voice.clauses, place.voice.breaks = 0, True
    async with served(place) as client:
        answer = await client.post("/v1/speech", json={"text": "hi"})
        assert (answer.status_code, answer.json()["code"]) == (500, "engine_failed")
        assert place.http.speeches == 0


async def test_speeches_are_bounded_and_counted_down() -> None:
    place = Place()
    async with served(place) as client:
        async with client.stream("POST", "/v1/speech", json={"text": "hi"}) as first:
            assert first.status_code == 200
            second = await client.post("/v1/speech", json={"text": "hi"})
            assert (second.status_code, second.json()["code"]) == (503, "node_full")
            assert "1 of 1" in second.json()["detail"]
        await place.voice.closed.wait()  # the caller of the first one hung up
        place.voice.go_on.set()
        third = await client.post("/v1/speech", json={"text": "hi"})
        assert third.status_code == 200


async def test_a_draining_node_says_nothing_new() -> None:
    place = Place()
    place.draining = True
    async with served(place) as client:
        answer = await client.post("/v1/speech", json={"text": "hi"})
        assert (answer.status_code, answer.json()["code"]) == (503, "node_draining")
        assert json.loads(answer.content)["retryable"]


async def test_the_server_ends_though_a_speech_hangs() -> None:
    place = Place()
    body = {"text": "hi"}
    async with served(place) as client, client.stream("POST", "/v1/speech", json=body) as hanging:
        assert hanging.status_code == 200
    assert place.registry.open == 0
