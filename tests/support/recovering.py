"""A caller that outlives connections, by hand: keeps audio, says again what was not heard."""

import asyncio
import json
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support.running_centre import Plane

LIMIT_S = 20.0
FINISH = '{"type":"finish"}'
SUBPROTOCOL = Subprotocol("heliovox.v1")
OPENING = {"language": "en", "policy": "eu-only", "recovers": True, "moves": True, "redirect": True}
ASKED = {"language": "en", "policy": "eu-only", "place": {"lat": 48.85, "lon": 2.35}}


class Caller:
    """One session. Samples are of 16 kHz PCM16, two bytes each."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._audio = b""
        self._finishes = False
        self._call: ClientConnection | None = None
        self.session = self.node = ""
        self.url = ""
        self.token = ""
        self.finals: dict[int, dict[str, Any]] = {}
        self.nodes: list[str] = []
        """Where it was, in order."""
        self.ended: dict[str, Any] | None = None

    @property
    def words(self) -> list[str]:
        """Texts of finals, in order."""
        return [self.finals[seq]["text"] for seq in sorted(self.finals)]

    async def begin(self, **start: Any) -> "Caller":
        placed = (await self._plane.ask("POST", "/v1/sessions", ASKED)).json()
        await self._open(placed["url"], placed["ticket"], OPENING | start)
        return self

    async def say(self, pcm: bytes) -> None:
        """What cannot be sent is kept, and said where the session goes on."""
        self._audio += pcm
        with suppress(ConnectionClosed):
            await self._must().send(pcm)

    async def hear(self, final: int) -> None:
        """Until that many finals have come; follows the node's word to go elsewhere."""
        while len(self.finals) < final:
            await self._next()

    async def follow(self, node: str | None = None) -> None:
        """Until it is at another node than now, or at that one."""
        here = self.node
        while self.node == here or node not in (None, self.node):
            await self._next()

    async def lose(self) -> None:
        """The connection breaks."""
        self._must().transport.abort()

    async def resume(self, token: str | None = None, **more: Any) -> Any:
        """Asks the control plane for another node; its answer."""
        asked = {"token": token or self.token, "request": ASKED, "without": [self.node]}
        path = f"/v1/sessions/{self.session}/resume"
        return (await self._plane.ask("POST", path, asked | more)).json()

    async def go_on(self, placed: dict[str, Any]) -> None:
        """There, with all that was not heard to its end."""
        await self._again(placed["url"], placed["ticket"])

    async def finish(self) -> list[str]:
        """All the words."""
        self._finishes = True
        with suppress(ConnectionClosed):
            await self._must().send(FINISH)
        while self.ended is None:
            await self._next()
        return self.words

    def _must(self) -> ClientConnection:
        assert self._call is not None
        return self._call

    @property
    def through(self) -> int:
        return max((one["through_sample"] for one in self.finals.values()), default=0)

    async def _open(self, url: str, ticket: str, start: dict[str, Any]) -> dict[str, Any]:
        self._call = await connect(
            url,
            additional_headers={"Authorization": f"Ticket {ticket}"},
            subprotocols=[SUBPROTOCOL],
            compression=None,
            proxy=None,
        )
        await self._call.send(json.dumps({"type": "start", **start}))
        async with asyncio.timeout(LIMIT_S):
            started: dict[str, Any] = json.loads(await self._call.recv())
        assert started["type"] == "started", started
        assert self.session in ("", started["session"])
        self.session, self.node, self.url = started["session"], started["node"], url
        self.nodes.append(self.node)
        self.token = started["recovery"]["token"] if started.get("recovery") else ""
        return started

    async def _again(self, url: str, ticket: str) -> None:
        resume = {"token": self.token, "seq": len(self.finals), "through_sample": self.through}
        started = await self._open(url, ticket, OPENING | {"resume": resume})
        await self._must().send(self._audio[2 * started.get("from_sample", 0) :])
        await self._must().send(FINISH if self._finishes else '{"type":"keepalive"}')

    async def _next(self) -> None:
        try:
            async with asyncio.timeout(LIMIT_S):
                message = await self._must().recv()
        except ConnectionClosed as error:
            raise AssertionError(f"{self.session} at {self.node}: {error}") from error
        said = json.loads(message)
        match said["type"]:
            case "final":
                assert said["seq"] not in self.finals or self.finals[said["seq"]] == said
                self.finals[said["seq"]] = said
                with suppress(ConnectionClosed):
                    await self._must().send(json.dumps({"type": "ack", "seq": said["seq"]}))
            case "redirect":
                await self._again(said["url"], said["ticket"])
            case "ended":
                self.ended = said
            case "error":
                raise AssertionError(said)
