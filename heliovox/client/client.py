"""The way in: an address, a key, and sessions."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from heliovox.client.address import stream_url
from heliovox.client.connecting import open_socket
from heliovox.client.limits import Limits
from heliovox.client.machine import SessionMachine
from heliovox.client.session import Session
from heliovox.protocol.audio import AudioFormat
from heliovox.protocol.messages import Kind, Start

_LIMITS = Limits()
_PCM_16K = AudioFormat()


class Client:
    """A node and the key to it. Holds no connection: each session opens its own.

    Args:
        url: `host:port`, or a ws, wss, http or https URL. A key never belongs into it.
        key: the caller's key; it travels in the Authorization header.
        tls: for private certificates; None takes the system's for wss and https.
        proxy: True obeys the usual environment variables, None connects directly.
        limits: time-outs and bounds.

    Raises:
        ValueError: a URL that names no node.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        proxy: str | Literal[True] | None = True,
        limits: Limits = _LIMITS,
    ) -> None:
        self.url = stream_url(url)
        if tls is not None and not self.url.startswith("wss:"):
            raise ValueError(f"tls goes with wss or https, not with {self.url}")
        self._key, self._tls, self._proxy, self._limits = key, tls, proxy, limits

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
        acknowledge: bool = True,
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
            acknowledge: a final counts as stored once the next event is asked for. False leaves
                `Session.ack` to the application.

        Raises:
            CannotConnect: no node there.
            Refused: the node said no; Unauthorised for the key.
            TimedOut: no `started` in time.
        """
        start = Start(
            kind, language, audio, output, voice, model, partials, endpoint_silence_ms, graph
        )
        socket = await open_socket(
            self.url, self._key, tls=self._tls, proxy=self._proxy, limits=self._limits
        )
        session = Session(socket, SessionMachine(start), self._limits, acknowledge=acknowledge)
        try:
            await session.open()
            yield session
        finally:
            await session.close()
