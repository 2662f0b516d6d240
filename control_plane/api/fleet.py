"""What stands where, where a session would go, and why one went where it did."""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, QueryParameter, SkipValidation

from control_plane.api.callers import SECURITY, may_see, require_operator
from control_plane.api.centre import Centred, Who
from control_plane.orders import order_of_request
from control_plane.placement.readers import for_caller, for_compliance
from control_plane.tenants.keys import KeyRecord
from heliovox.protocol.control import (
    BundleView,
    CallerWhy,
    ComplianceWhy,
    DecisionView,
    NearestView,
    NodeView,
    PolicyView,
    Reader,
    RegionView,
    SessionRequest,
)
from heliovox.protocol.draining import DrainView
from heliovox.protocol.messages import Place
from shared.clock import wall_ms
from shared.errors import InvalidMessage, NotFound
from shared.policy import CompiledPolicy

MOST_NEAREST = 100


@dataclass(frozen=True, slots=True)
class Where:
    """What is known of a caller's whereabouts."""

    place: Place | None
    country: str | None
    address: str | None
    own_address: str | None
    """That the request came from."""


def where(
    request: Request[Any, Any, Any],
    lat: FromQuery[float | None] = None,
    lon: FromQuery[float | None] = None,
    country: FromQuery[str | None] = None,
    address: FromQuery[str | None] = None,
) -> Where:
    """Where the query says that the caller is."""
    if (lat is None) != (lon is None):
        missing = "lat" if lat is None else "lon"
        raise InvalidMessage("half a place", field=missing, remedy="give lat and lon, or neither")
    place = None if lat is None or lon is None else Place(lat, lon)
    own = request.client.host if request.client is not None else None
    return Where(place, country, address, own)


def what(
    policy: FromQuery[str | None] = None,
    kind: FromQuery[str] = "recognition",
    language: FromQuery[str] = "en",
    model: FromQuery[str | None] = None,
    kind_of_data: Annotated[str | None, QueryParameter(name="data")] = None,
) -> SessionRequest:
    """What the query says that he wants."""
    return SessionRequest(kind, language, model, policy, data=kind_of_data)


@get(
    "/v1/nearest",
    security=SECURITY,
    sync_to_thread=False,
    dependencies={
        "where": Provide(where, sync_to_thread=False),
        "what": Provide(what, sync_to_thread=False),
    },
)
def nearest(
    who: Who,
    centre: Centred,
    where: NamedDependency[SkipValidation[Where]],
    what: NamedDependency[SkipValidation[SessionRequest]],
    limit: Annotated[int, QueryParameter(ge=1, le=MOST_NEAREST)] = 10,
) -> list[NearestView]:
    """Where a caller with nothing but a key should connect, best first. Holds no seat."""
    asked = msgspec.structs.replace(
        what, place=where.place, country=where.country, address=where.address
    )
    own, at_ms = where.own_address, wall_ms()
    order = order_of_request(asked, who, centre.world(), own, centre.fallback(), at_ms)
    return list(centre.placing.nearest(order, limit))


@get("/v1/regions", security=SECURITY, sync_to_thread=False)
def regions(who: Who, centre: Centred) -> list[RegionView]:
    """Every region, and what stands there."""
    _ = who
    return list(centre.fleets.regions())


@get("/v1/nodes", security=SECURITY, sync_to_thread=False)
def nodes(who: Who, centre: Centred) -> list[NodeView]:
    """Every node as it is seen from here now."""
    _ = who
    return list(centre.fleets.nodes())


@get("/v1/bundle", security=SECURITY, sync_to_thread=False)
def bundle(who: Who, centre: Centred) -> BundleView:
    """What nodes should admit by now: those that report another one are behind."""
    _ = who
    now = centre.bundle()
    return BundleView(now.version, now.policy_version, now.in_service)


@post("/v1/nodes/{node:str}/drain", security=SECURITY, status_code=200)
async def drain(
    node: FromPath[str],
    who: Who,
    centre: Centred,
    keep: FromQuery[bool | None] = None,
) -> DrainView:
    """The node takes nobody new, and its sessions go elsewhere; operators only.

    With `keep` they stay until they end. GET says how far they are.
    """
    require_operator(who)
    return await centre.draining.drain(node, keep=bool(keep))


@get("/v1/nodes/{node:str}/drain", security=SECURITY)
async def drained(node: FromPath[str], who: Who, centre: Centred) -> DrainView:
    """How far the sessions of a node that is drained are gone; operators only."""
    require_operator(who)
    return await centre.draining.view(node)


@post("/v1/nodes/{node:str}/undrain", security=SECURITY, status_code=204)
async def undrain(node: FromPath[str], who: Who, centre: Centred) -> None:
    """The node takes sessions again; operators only."""
    require_operator(who)
    await centre.draining.undrain(node)


@get("/v1/decisions/{decision_id:str}", security=SECURITY)
async def decision(
    decision_id: FromPath[str],
    who: Who,
    centre: Centred,
    reader: Annotated[Reader | None, QueryParameter(name="for")] = None,
) -> CallerWhy | DecisionView | ComplianceWhy:
    """Why a session is where it is: for its caller, for operators, or for compliance.

    A caller's key reads its own decisions, as their caller; an operator's any, in any form.
    """
    reader = reader or ("operator" if who.operator else "caller")
    if reader != "caller":
        require_operator(who)
    found = await centre.explaining.decision(decision_id)
    if found is None or not may_see(who, found.tenant):
        raise NotFound(
            "no such decision",
            field="decision",
            value=decision_id,
            remedy="decisions are kept for some days; the id is in `decision` of the answer",
        )
    if reader == "operator":
        return found
    return for_caller(found) if reader == "caller" else for_compliance(found)


@get("/v1/policies", security=SECURITY, sync_to_thread=False)
def policies(who: Who, centre: Centred) -> list[PolicyView]:
    """Every policy, and where its sessions may be."""
    all_policies = centre.world().policies
    return [
        _view(policy, who, default=name == all_policies.default)
        for name, policy in sorted(all_policies.by_name.items())
    ]


def _view(policy: CompiledPolicy, who: KeyRecord, *, default: bool) -> PolicyView:
    return PolicyView(
        policy=policy.name,
        version=policy.version,
        default=default,
        permitted=who.permits(policy.name),
        allowed_regions=tuple(sorted(policy.allowed)),
        overflow_regions=tuple(sorted(policy.overflow)),
        max_added_rtt_ms=policy.max_added_rtt_ms,
        when_full=policy.when_full,
        wait_s=policy.wait_s,
    )
