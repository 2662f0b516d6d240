"""Many callers do anything that is allowed, in any order; each gets his own, whole and in order."""

import asyncio
import json
from random import Random
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.support.running_node import RunningNode
from tests.support.talk import FINISH, spoken, start, words

pytestmark = pytest.mark.process

CALLERS = 24
LIMIT_S = 60.0


class Caller:
    """Draws what he does, and remembers what he has to hear for it."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)
        self.words: list[str] = []
        self.samples = 0
        self.flushes: list[tuple[str, int]] = []
        self.markers: list[tuple[str, int]] = []
        self.texts: list[str] = []
        self.heard: list[Any] = []

    async def call(self, node: RunningNode) -> None:
        headers = {"Authorization": f"Bearer {node.key}"}
        async with connect(
            node.stream_url, additional_headers=headers, compression=None, proxy=None
        ) as line:
            await line.send(start(kind="conversation"))
            await asyncio.gather(self.listen(line), self.talk(line))

    async def talk(self, line: ClientConnection) -> None:
        for step in range(self.draw.randint(5, 30)):
            await self.act(line, f"{step}")
        await line.send(FINISH)

    async def listen(self, line: ClientConnection) -> None:
        async for message in line:
            self.heard.append(json.loads(message) if isinstance(message, str) else message)

    async def act(self, line: ClientConnection, name: str) -> None:
        match self.draw.choice(["word", "word", "word", "flush", "marker", "speak", "cancel"]):
            case "word":
                await self.say_word(line)
            case "flush":
                self.flushes.append((name, self.samples))
                await line.send(json.dumps({"type": "flush", "id": name}))
            case "marker":
                self.markers.append((name, self.samples))
                await line.send(json.dumps({"type": "marker", "id": name}))
            case "speak":
                self.texts.append(name)
                text = "abc defghijk " * self.draw.choice([1, 20])
                await line.send(json.dumps({"type": "speak", "id": name, "text": text}))
            case "cancel" if self.texts:
                about = self.draw.choice(self.texts)
                await line.send(json.dumps({"type": "cancel", "id": about}))

    async def say_word(self, line: ClientConnection) -> None:
        word = "".join(self.draw.choices("abc", k=self.draw.randint(1, 6)))
        audio = spoken(word + " " * self.draw.choice([1, 2, 20, 60]))
        self.words.append(word)
        self.samples += len(audio) // 2
        packet = self.draw.choice([999, 3200, 1 << 20])
        for begin in range(0, len(audio), packet):
            await line.send(audio[begin : begin + packet])

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.heard if isinstance(one, dict) and one["type"] == kind]

    def check(self) -> None:
        assert " ".join(words(self.heard)) == " ".join(self.words)
        assert [final["seq"] for final in self.of("final")] == [
            number + 1 for number in range(len(self.of("final")))
        ]
        flushed = [(one["id"], one["through_sample"]) for one in self.of("flushed")]
        assert flushed == self.flushes
        assert [(one["id"], one["at_sample"]) for one in self.of("marker")] == self.markers
        assert sorted(one["id"] for one in self.of("spoken")) == sorted(self.texts)
        assert self.heard[-1]["type"] == "ended"
        self.check_audio()

    def check_audio(self) -> None:
        """Between `speaking` and `spoken`, as much as is said there, and nowhere else."""
        speaking, samples = None, 0
        for one in self.heard:
            if isinstance(one, bytes):
                assert speaking is not None
                samples += len(one) // 2
            elif one["type"] == "speaking":
                assert speaking is None
                speaking, samples = one["id"], 0
            elif one["type"] == "spoken" and one["id"] == speaking:
                assert one["samples"] == samples
                speaking = None


def test_each_gets_his_own(node: RunningNode) -> None:
    callers = [Caller(seed) for seed in range(CALLERS)]

    async def all_call() -> None:
        async with asyncio.timeout(LIMIT_S):
            await asyncio.gather(*(caller.call(node) for caller in callers))

    asyncio.run(all_call())
    for caller in callers:
        caller.check()
