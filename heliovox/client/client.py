"""The way in: an address, a key, and sessions."""

import random
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

from heliovox.client.address import stream_url
from heliovox.client.control import ControlPlane
from heliovox.client.limits import Limits
from heliovox.client.mover import request_of
from heliovox.client.opening import Again, Opener, Wanted
from heliovox.client.roads import Target, Wires
from heliovox.client.session import Session
from heliovox.client.waits import Waits
from heliovox.protocol.audio import AudioFormat
from heliovox.protocol.messages import Kind, Place, Start

_LIMITS = Limits()
_PCM_16K = AudioFormat()


class Client:
    """A node or a control plane, and the key to it. Each session opens its own connection.

    Args:
        url: a node: `host:port`, or a ws, wss, http or https URL. A key never belongs into it.
        key: the caller's key; it travels in the Authorization header, to this address, and where a
            session has to go on after a lost connection, to the node and the control plane that it
            was told of here.
        control: instead of a node, the control plane that finds one for each session.
        tls: for private certificates; None takes the system's for wss and https.
        proxy: True obeys the usual environment variables, None connects directly.
        limits: time-outs and bounds.

    Raises:
        ValueError: a URL that names no node or control plane, or not one of the two.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        control: str | None = None,
        tls: ssl.SSLContext | None = None,
        proxy: str | Literal[True] | None = True,
        limits: Limits = _LIMITS,
    ) -> None:
        if (url is None) == (control is None):
            raise ValueError("name either a node's url or a control plane (control=...)")
        self.url = stream_url(url) if url is not None else None
        self.control: ControlPlane | None = None
        if control is not None:
            self.control = ControlPlane(control, key, tls=tls, proxy=proxy, limits=limits)
        where = self.control.url if self.control else self.url or ""
        if tls is not None and not where.startswith(("wss:", "https:")):
            raise ValueError(f"tls goes with wss or https, not with {where}")
        self._key, self._authorization = key, f"Bearer {key}" if key else None
        self._wires = Wires(tls, proxy, limits)
        self._random = random.Random()  # noqa: S311 spreads attempts in time, and keeps no secret

    @asynccontextmanager
    async def session(  # noqa: PLR0913 they are the fields of `start`, all of them by name
        self,
        kind: Kind = "recognition",
        *,
        language: str = "en",
        audio: AudioFormat = _PCM_16K,
        output: AudioFormat = _PCM_16K,
        voice: str | None = None,
        model: str | None = None,
        partials: bool = True,
        endpoint_silence_ms: int = 700,
        graph: str | None = None,
        place: Place | tuple[float, float] | None = None,
        country: str | None = None,
        policy: str | None = None,
        data: str | None = None,
        caller: str | None = None,
        acknowledge: bool = True,
        waits: Waits | None = None,
        recover: bool | None = None,
        live: bool = False,
    ) -> AsyncIterator[Session]:
        """Opens a session; leaving the block closes it, whatever happened inside.

        Args:
            kind: recognition, synthesis, or conversation for both.
            language: what is spoken.
            audio: what will be sent.
            output: what texts should be said in.
            voice: None takes the node's default.
            model: None takes the node's default.
            partials: whether words are told before they are final.
            endpoint_silence_ms: silence that ends an utterance, 200 to 5000.
            graph: what is expected to be said, one of the node's decoding graphs; "none" to expect
                nothing, None takes the node's default.
            place: where the caller is, (latitude, longitude) in degrees. None: where his address
                is, or for a node called without a control plane, where the node is.
            country: that the caller is in, ISO 3166, two letters. Stands for his place where that
                is None; whether it counts for rules beside his address, the policy says.
            policy: which residency policy holds; None takes the key's default.
            data: what kind of data the session carries, such as "health"; policies may have rules
                for it. None is "general".
            caller: who speaks, in your own words, 1 to 128 printable characters. Nodes alone are
                told, never the control plane; kept with the words where the policy keeps them.
            acknowledge: a final counts as stored once the next event is asked for. False leaves
                `Session.ack` to the application.
            waits: told of the place in line and of what changes, under a policy that waits or calls
                back, by a control plane or by the node that keeps us waiting. Such a session opens
                when there is a seat; whoever will not wait so long sets a timeout around it.
            recover: whether the session goes on after a lost connection, at the same node or at
                another one: no word is lost or doubled, and `Reconnecting`, `Resumed` and `Gap`
                among the events tell of it. None: where it listens.
            live: audio that cannot wait, as from a microphone: where a connection is lost for so
                long that no more can be kept, the oldest is dropped instead of holding `send` back.

        Raises:
            CannotConnect: nobody there.
            Refused: the node or the control plane said no; Unauthorised for the key.
            TimedOut: no `started` in time.
        """
        recovers = kind != "synthesis" if recover is None else recover
        start = Start(
            kind,
            language,
            audio,
            output,
            voice,
            model,
            partials,
            endpoint_silence_ms,
            graph,
            policy=policy,
            place=Place(*place) if isinstance(place, tuple) else place,
            redirect=True,
            data=data,
            country=country,
            caller=caller,
            moves=kind == "recognition" or recovers,
            recovers=recovers,
        )
        again = Again(self._authorization, self._centre, self._random.random)
        opener = Opener(start, self._wires, again, Wanted(acknowledge, waits, live))
        session = await self._open(start, opener)
        try:
            yield session
        finally:
            await session.close()

    async def _open(self, start: Start, opener: Opener) -> Session:
        if self.control:
            return await opener.through(self.control, request_of(start))
        assert self.url is not None
        return await opener.at(Target(self.url, self._authorization))

    def _centre(self, url: str | None) -> ControlPlane | None:
        """Who finds another node for a session that goes on."""
        if self.control is not None or url is None:
            return self.control
        wires = self._wires
        tls = wires.tls if url.startswith("https:") else None
        with suppress(ValueError):  # a node that names no address has none
            return ControlPlane(url, self._key, tls=tls, proxy=wires.proxy, limits=wires.limits)
        return None
