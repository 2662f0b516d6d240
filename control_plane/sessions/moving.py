"""Whether a live session may be moved, where to, and by what order (pure)."""

from http import HTTPStatus

from control_plane.fleet.view import FleetView
from control_plane.orders import Because, Continued, Order
from control_plane.sessions.ahead import Going
from control_plane.sessions.row import Row
from control_plane.world import WorldNow
from heliovox.protocol.messages import Place
from shared.errors import NotAllowed, NotFound, VoiceError
from shared.geography import Located
from shared.policy import CompiledPolicy, Facts


class NotMovable(VoiceError):
    """The session stays where it is: it is not live, or its caller cannot follow."""

    code = "not_movable"
    http_status = HTTPStatus.CONFLICT


class MoveUnderWay(VoiceError):
    """The session goes to another node already."""

    code = "move_under_way"
    retryable = True
    http_status = HTTPStatus.CONFLICT


def check_movable(row: Row | None, session: str, going: Going | None) -> Row:
    """The session, if it can be moved.

    Raises:
        NotFound: nothing is known of it.
        NotMovable: it is not live, or its caller said that he cannot go on elsewhere.
        MoveUnderWay: a seat is held for it elsewhere.
    """
    if row is None:
        raise NotFound(
            "no such session", field="session", value=session,
            remedy="see GET /v1/sessions for those that are known",
        )  # fmt: skip
    if row.state != "live":
        raise NotMovable(
            f"the session is {row.state}", field="session", value=session,
            remedy="only live sessions move; one that waits goes on where its caller finds a node",
        )  # fmt: skip
    if not row.recovers or row.admitted_by == "relay":
        why = "is relayed" if row.admitted_by == "relay" else "did not say `recovers`"
        raise NotMovable(
            f"its caller {why}, and cannot follow", field="session", value=session,
            remedy="let it end, or end it",
        )  # fmt: skip
    if going is not None:
        raise under_way(session, going.node)
    return row


def under_way(session: str, to: str | None = None) -> MoveUnderWay:
    """Of one that goes already."""
    return MoveUnderWay(
        "the session is on its way" + (f" to {to}" if to else ""), field="session", value=session,
        remedy="wait until it is there, then move it on",
    )  # fmt: skip


def place_of(row: Row, known: Located | None, world: WorldNow) -> Located:
    """Where its caller is, as far as is known: as decided, else where he was let in."""
    if known is not None:
        return known
    regions = world.world.regions
    region = regions.get(row.home) or regions.get(row.region)
    return Located(Place(0.0, 0.0) if region is None else region.place, "node")


def order_to_move(
    row: Row, world: WorldNow, at: Located, because: Because, without: tuple[str, ...], at_ms: int
) -> Order:
    """As the session was opened, by the rules of now.

    Args:
        row: the session.
        world: of now.
        at: where its caller is.
        because: why it moves.
        without: nodes that it must not go to.
        at_ms: now, since 1970.

    Raises:
        Unsupported, PolicyNotInEffect: its policy is no more.
    """
    facts = Facts(row.tenant, row.data, row.language, frozenset(row.countries))
    return Order(
        kind=row.kind,
        language=row.language,
        model=row.model,
        policy=world.policies.effective(row.policy, facts, at_ms),
        facts=facts,
        at=at,
        continued=Continued(row.session, row.recovery_number, because, row.node, without, row.home),
    )


def without_for(row: Row, to: str | None, view: FleetView) -> tuple[str, ...]:
    """The nodes to leave out: its own and, where the target is named, all but that one.

    Raises:
        NotFound: there is no such node.
        NotMovable: the session is there.
    """
    if to is None:
        return (row.node,)
    if to not in view.roster.index:
        raise NotFound("no such node", field="to", value=to, remedy="see GET /v1/nodes for names")
    if to == row.node:
        raise NotMovable(
            "the session is there", field="to", value=to, remedy="name another node, or none"
        )
    return tuple(name for name in view.nodes if name != to)


def check_allowed(to: str | None, policy: CompiledPolicy, view: FleetView) -> None:
    """Raises NotAllowed where the policy forbids the region of the node that is named."""
    if to is None:
        return
    region = view.roster.region_of(view.roster.index[to])
    if region not in policy.allowed:
        clause = dict(policy.removed).get(region, f"{policy.name}.allow")
        raise NotAllowed(
            f"policy {policy.name} does not allow {region} ({clause})", field="to", value=to,
            remedy=f"name a node in one of {', '.join(sorted(policy.allowed)) or 'no region'}",
        )  # fmt: skip
