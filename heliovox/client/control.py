"""The control plane as callers and operators ask it: places, regions, nodes, sessions, reasons."""

import asyncio
import ssl
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Literal, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from heliovox.client.address import control_url
from heliovox.client.connecting import refusal
from heliovox.client.errors import ClientError, NodeMisbehaved, TimedOut
from heliovox.client.http import Answer, Http
from heliovox.client.limits import Limits
from heliovox.client.waits import Waits
from heliovox.protocol import control as c
from heliovox.protocol.draining import DrainView

T = TypeVar("T")
LOOK_S = 20.0
"""Of one look at a wait in line; the control plane takes 30 s at most."""
LEAVE_S = 2.0
_BREATH_S = 0.1
"""Between two looks: whatever stands between us may not know how to wait."""
_LIMITS = Limits()
_OK = 200, 201, 202, 204
_IN_LINE = "respond-async"
"""RFC 7240: rather a place in line, and news of it, than an answer that takes as long."""


class ControlPlane:
    """A control plane and the key to it. Holds no connection.

    Every method raises CannotConnect where nobody answers, TimedOut after `limits.ask_s`, Refused
    (Unauthorised for the key) where the answer is no, NodeMisbehaved where it cannot be understood.

    Args:
        url: `host:port`, or an http or https URL.
        key: a caller's, or for what operators alone may see and do an operator's.
        tls: for private certificates; None takes the system's for https.
        proxy: True obeys the usual environment variables, None connects directly.
        limits: time-outs.

    Raises:
        ValueError: a URL that names no control plane.
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
        self.url = control_url(url)
        self._http, self._limits = Http(key, tls, proxy), limits

    async def place(self, request: c.SessionRequest, waits: Waits | None = None) -> c.Placed:
        """A seat for a session, held for `expires_s`; or Refused with the decision's reason.

        Under a policy that waits or calls back it waits in line, for as long as the policy says.
        Whoever is cancelled meanwhile leaves the line.

        Args:
            request: for what.
            waits: told of the place in line, whenever there is one.
        """
        body = msgspec.json.encode(request)
        said = await self._seat("POST", "/v1/sessions", body, _IN_LINE)
        if isinstance(said, c.Placed):
            return said
        return await self._called_back(said, waits)

    async def _called_back(self, in_line: c.InLine, waits: Waits | None) -> c.Placed:
        path = f"/v1/waiting/{quote(in_line.waiting, safe='')}"
        look_s = min(LOOK_S, self._limits.ask_s / 2)
        limit_s = in_line.expires_s + self._limits.ask_s
        said: c.Placed | c.InLine = in_line
        try:
            async with asyncio.timeout(limit_s):
                told = (0, 0)
                while isinstance(said, c.InLine):
                    if waits is not None and (said.version, said.position) != told:
                        waits(said)
                        told = (said.version, said.position)
                    await asyncio.sleep(_BREATH_S)
                    query = urlencode({"wait_s": look_s, "after": said.version})
                    said = await self._seat("GET", f"{path}?{query}")
        except TimeoutError as error:
            raise TimedOut("a seat after the wait in line", limit_s) from error
        except asyncio.CancelledError:
            await self._leave(path)
            raise
        return said

    async def _leave(self, path: str) -> None:
        """So that nobody holds a seat for us; if it fails, the seat's time will be up."""
        with suppress(ClientError, TimeoutError):
            async with asyncio.timeout(LEAVE_S):
                await self._ask("DELETE", path, Any)

    async def resume(self, session_id: str, asked: c.ResumeRequest) -> c.Placed:
        """A seat at another node for a session whose own is gone, full or out of reach.

        Whoever lost the answer may ask again. A token that is not good is Refused with the code
        `resume_refused`, whatever is wrong with it: nobody learns which sessions there are.
        """
        path = f"/v1/sessions/{quote(session_id, safe='')}/resume"
        return await self._ask("POST", path, c.Placed, msgspec.json.encode(asked))

    async def move(self, session_id: str, to: str | None = None) -> c.Moved:
        """Sends a live session to another node, at its next end of an utterance; for operators.

        Args:
            session_id: of a session whose caller can follow.
            to: the node; None for the best of the others.
        """
        path = f"/v1/sessions/{quote(session_id, safe='')}/move"
        return await self._ask("POST", path, c.Moved, msgspec.json.encode(c.MoveRequest(to)))

    async def nearest(self, lat: float, lon: float) -> list[c.NearestView]:
        """The nodes that a caller at this place may go to, best first."""
        query = urlencode({"lat": lat, "lon": lon})
        return await self._ask("GET", f"/v1/nearest?{query}", list[c.NearestView])

    async def regions(self) -> list[c.RegionView]:
        """Every region and what stands there."""
        return await self._ask("GET", "/v1/regions", list[c.RegionView])

    async def nodes(self) -> list[c.NodeView]:
        """Every node as the centre sees it now."""
        return await self._ask("GET", "/v1/nodes", list[c.NodeView])

    async def bundle(self) -> c.BundleView:
        """What nodes should admit by now."""
        return await self._ask("GET", "/v1/bundle", c.BundleView)

    async def ledger(self, from_ms: int = 0, until_ms: int | None = None) -> c.LedgerView:
        """What the centre states of nodes' ledgers; for operators.

        Args:
            from_ms: since 1970.
            until_ms: likewise, later; None for now.
        """
        query = {"from_ms": from_ms} | ({} if until_ms is None else {"until_ms": until_ms})
        return await self._ask("GET", f"/v1/ledger?{urlencode(query)}", c.LedgerView)

    async def ledger_heads(self) -> list[dict[str, Any]]:
        """The last head of every node's ledger, as the centre signed it."""
        return await self._ask("GET", "/v1/ledger/heads", list[dict[str, Any]])

    async def sessions(self) -> list[c.SessionView]:
        """Sessions that the centre knows: all of them for operators, else the tenant's own."""
        return await self._ask("GET", "/v1/sessions", list[c.SessionView])

    async def session(self, session_id: str) -> c.SessionView:
        """One session."""
        return await self._ask("GET", f"/v1/sessions/{quote(session_id, safe='')}", c.SessionView)

    async def end(self, session_id: str) -> None:
        """Ends a session, or gives back the seat that is held for it."""
        path = f"/v1/sessions/{quote(session_id, safe='')}"
        await self._ask("DELETE", path, Any)

    async def decision(self, decision_id: str) -> c.DecisionView:
        """One decision and everything it was made from; for operators."""
        path = f"/v1/decisions/{quote(decision_id, safe='')}?for=operator"
        return await self._ask("GET", path, c.DecisionView)

    async def why(self, decision_id: str, reader: c.Reader | None = None) -> c.Why:
        """Why a session is where it is.

        Args:
            decision_id: of a decision.
            reader: for whom it is told; None for whoever the key stands for. A caller's key gets
                the caller's form of its own decisions alone.
        """
        query = f"?for={reader}" if reader else ""
        return await self._ask("GET", f"/v1/decisions/{quote(decision_id, safe='')}{query}", c.Why)

    async def drain(self, node: str, *, keep: bool = False) -> DrainView:
        """Takes a node out of placement, and sends its sessions elsewhere; for operators.

        Args:
            node: its name.
            keep: its live sessions stay until they end.
        """
        path = f"/v1/nodes/{quote(node, safe='')}/drain" + ("?keep=true" if keep else "")
        return await self._ask("POST", path, DrainView, b"{}")

    async def drained(self, node: str) -> DrainView:
        """How far the sessions of a node that is drained are gone; for operators."""
        return await self._ask("GET", f"/v1/nodes/{quote(node, safe='')}/drain", DrainView)

    async def undrain(self, node: str) -> None:
        """Puts a node back into placement; for operators."""
        await self._ask("POST", f"/v1/nodes/{quote(node, safe='')}/undrain", Any, b"{}")

    async def _ask(
        self, method: str, path: str, kind: type[T] | Any, body: bytes | None = None
    ) -> T:
        answer = await self._answer(method, path, body)
        decoded: T = self._decoded(path, answer, kind)
        return decoded

    async def _seat(
        self, method: str, path: str, body: bytes | None = None, prefer: str | None = None
    ) -> c.Placed | c.InLine:
        """The status says which of the two it is."""
        answer = await self._answer(method, path, body, prefer)
        kind = c.InLine if answer.status == HTTPStatus.ACCEPTED else c.Placed
        decoded: c.Placed | c.InLine = self._decoded(path, answer, kind)
        return decoded

    async def _answer(
        self, method: str, path: str, body: bytes | None, prefer: str | None = None
    ) -> Answer:
        url = self.url + path
        answer = await self._http.ask(method, url, body, limit_s=self._limits.ask_s, prefer=prefer)
        if answer.status not in _OK:
            raise refusal(url, answer.status, answer.body, "a control plane was asked")
        return answer

    def _decoded(self, path: str, answer: Answer, kind: Any) -> Any:
        try:
            return msgspec.json.decode(answer.body or b"null", type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise NodeMisbehaved(
                f"{self.url}{path} answered what no control plane does: {error}"
            ) from error
