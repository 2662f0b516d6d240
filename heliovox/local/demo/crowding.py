"""Europe fills up: callers overflow where their policy lets them, and nowhere else."""

from contextlib import AsyncExitStack
from typing import Any, Self

from heliovox.client.errors import Refused
from heliovox.local.calls import Route, Where
from heliovox.local.demo.plan import EUROPE, HOME, NEXT, PARIS, STREAMS_PER_NODE
from heliovox.local.demo.stage import Stage, as_detail
from heliovox.local.steps import Step

ANYWHERE = Where(PARIS.where.place, "anywhere")


class Crowding:
    """Holds idle sessions until it is left."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def overflow(self) -> Step:
        """Callers of Paris come until one of them is placed beyond the home region."""
        stage = self._stage
        stage.screen.title(f"Europe fills up: {HOME} takes {STREAMS_PER_NODE} sessions here")
        routes = [await self._comes(PARIS.where) for _ in range(STREAMS_PER_NODE + 1)]
        at_home, last = routes[:-1], routes[-1]
        why = await stage.told(last.decision)
        stage.screen.line(f"{len(at_home)} callers in Paris -> {HOME}, and no seat is left")
        stage.screen.line(f"the next one (eu-only) -> {last.region}")
        stage.screen.line(why, indent=6)
        ok = all(route.region == HOME for route in at_home) and last.region == NEXT
        detail = {"filled": len(at_home), "next": as_detail(last), "why": why}
        return Step("overflow", ok and last.overflow and last.home_region == HOME, detail)

    async def refuse(self) -> Step:
        """Both European nodes are full: who may not leave Europe is refused, others are not."""
        stage = self._stage
        more = [await self._comes(PARIS.where) for _ in range(STREAMS_PER_NODE - 1)]
        refused = await self._refused(PARIS.where)
        elsewhere = await self._comes(ANYWHERE)
        why = await stage.told(elsewhere.decision)
        stage.screen.line(f"{NEXT} is full too. Paris (eu-only) -> {refused.get('code', 'placed')}")
        stage.screen.line(str(refused.get("message", "and should not have been")), indent=6)
        stage.screen.line(f"Paris (anywhere) -> {elsewhere.region}")
        stage.screen.line(why, indent=6)
        held = [
            session.region
            for session in await stage.operator.sessions()
            if session.policy == PARIS.policy and session.state in {"reserved", "live"}
        ]
        ok = (
            all(route.region == NEXT for route in more)
            and refused.get("code") == "no_room"
            and bool(refused.get("decision"))
            and elsewhere.region not in EUROPE
            and set(held) <= set(EUROPE)
        )
        detail = {
            "refused": refused,
            "anywhere": as_detail(elsewhere) | {"why": why},
            "eu_only_sessions_in": sorted(set(held)),
        }
        return Step("refuse", ok, detail)

    async def _comes(self, where: Where) -> Route:
        session = await self._open.enter_async_context(
            self._stage.client.session(place=where.place, policy=where.policy)
        )
        return Route.of(session)

    async def _refused(self, where: Where) -> dict[str, Any]:
        """What a caller was told who must not be placed; nothing where he was."""
        try:
            route = await self._comes(where)
        except Refused as error:
            view = await self._stage.why(error.decision) if error.decision else None
            return {
                "code": error.code,
                "message": error.message,
                "remedy": error.remedy,
                "retryable": error.retryable,
                "decision": error.decision,
                "outcome": view.outcome if view else None,
                "reasons": list(view.reasons) if view else [],
            }
        return {"placed": as_detail(route)}
