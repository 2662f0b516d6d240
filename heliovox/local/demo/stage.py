"""What every part of the demonstration needs: the world, the screen, a list of what was done."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from heliovox.client.client import Client
from heliovox.client.control import ControlPlane
from heliovox.client.errors import ClientError
from heliovox.local.calls import Route, Where
from heliovox.local.demo.plan import Plan
from heliovox.local.reasons import in_short
from heliovox.local.screen import Screen
from heliovox.local.steps import Step
from heliovox.local.world.world import LocalWorld
from heliovox.protocol.control import DecisionView, SessionRequest
from heliovox.protocol.messages import Place


class Stage:
    """Where the parts play."""

    def __init__(self, plan: Plan, screen: Screen, world: LocalWorld) -> None:
        assert world.file is not None
        self.plan, self.screen, self.world = plan, screen, world
        self.control = world.file.control
        self.key = world.caller_key
        self.steps: list[Step] = []

    @property
    def client(self) -> Client:
        """A caller who is placed by the control plane."""
        return Client(control=self.control, key=self.key, proxy=None)

    @property
    def caller(self) -> ControlPlane:
        """The control plane as a caller asks it."""
        return ControlPlane(self.control, self.key, proxy=None)

    @property
    def operator(self) -> ControlPlane:
        """The control plane as its operator asks it."""
        return self.world.operator

    def straight(self, region: str) -> Client:
        """A caller who goes to a region's node with nothing but a key."""
        return Client(self.world.nodes_by_region[region].url, self.key, proxy=None)

    async def attempt(self, name: str, work: Callable[[], Awaitable[Step]]) -> Step:
        """Does a part; what goes wrong is a step that is not ok."""
        step: Step | None = None
        problem = ""
        try:
            step = await work()
        except* (ClientError, TimeoutError) as group:
            problem = str(_first(group)) or type(_first(group)).__name__
        if step is None:
            step = Step(name, ok=False, detail={"error": problem})
            self.screen.line(f"failed: {problem}")
        self.steps.append(step)
        return step

    async def why(self, decision: str) -> DecisionView:
        """A decision with everything it was made from."""
        return await self.operator.decision(decision)

    async def told(self, decision: str | None) -> str:
        """The short form of it, for a person."""
        if decision is None:
            return "the node decided by itself"
        return in_short(await self.why(decision))


def request(where: Where, kind: str = "recognition") -> SessionRequest:
    """What the control plane is asked for a caller."""
    return SessionRequest(
        kind=kind, policy=where.policy, place=Place(*where.place) if where.place else None
    )


def as_detail(route: Route) -> dict[str, Any]:
    """A route as JSON has it."""
    return asdict(route)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
