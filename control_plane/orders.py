"""What a caller asks for, checked alike whichever way it came (pure)."""

from typing import Literal

import msgspec

from control_plane.ids import random_id
from control_plane.tenants.keys import KeyRecord
from control_plane.world import WorldNow
from heliovox.protocol.control import SessionRequest
from heliovox.protocol.messages import KINDS, Place
from shared.errors import Forbidden, InvalidMessage, Unsupported
from shared.exchange import NodeAsk
from shared.geography import Located, country_of, country_place, locate
from shared.places import check_place
from shared.policy import CompiledPolicy, Facts, kind_of_data

Because = Literal["resumed", "moved", "draining"]
"""Why a session goes on at another node: its caller asked, an operator did, or its node stops."""
LONGEST_NAME = 64
"""Of a language or a model."""


class Continued(msgspec.Struct, frozen=True):
    """A session that is placed anew, since it goes on elsewhere."""

    session: str
    number: int
    """Of the recovery token that it goes on by."""
    because: Because
    came_from: str
    """The node that has it, or had it."""
    without: tuple[str, ...] = ()
    """Nodes that it must not go to."""
    home: str = ""
    """The caller's home region, as the session was let in: what is kept of it stays there."""


class Order(msgspec.Struct, frozen=True):
    """A session that somebody wants placed."""

    kind: str
    language: str
    model: str | None
    policy: CompiledPolicy
    """As it was when the order came, with the rules that were about it then."""
    facts: Facts
    at: Located
    may_wait: bool = False
    """Whether who asks waits as long as the policy says."""
    relayed_by: str | None = None
    """The region of the node that would pass the session on."""
    comes_back: bool = False
    """Whether who asks takes a place in line for an answer, under a policy that waits too."""
    id: str = msgspec.field(default_factory=random_id)
    """Stands in all decisions that are made about it."""
    continued: Continued | None = None
    """None for a new session."""


def order_of_request(
    asked: SessionRequest,
    who: KeyRecord,
    world: WorldNow,
    own_address: str | None,
    fallback: Place | None,
    at_ms: int,
) -> Order:
    """A caller's order.

    Args:
        asked: as it came.
        who: whose key it came with.
        world: of now.
        own_address: that the request came from.
        fallback: where a caller is taken to be who cannot be found.
        at_ms: now, in milliseconds since 1970: which rules are in force.

    Raises:
        InvalidMessage, Unsupported, Forbidden: each names field, value and remedy.
    """
    name = who.policy(asked.policy, world.world.default_policy)
    address = asked.address or own_address
    by_address = None if address is None else country_of(address)
    language = _name("language", asked.language)
    countries = world.policies.countries(name, asked.country, by_address)
    facts = Facts(who.tenant, kind_of_data(asked.data), language, countries)
    return Order(
        kind=_kind(asked.kind),
        language=language,
        model=None if asked.model is None else _name("model", asked.model),
        policy=world.policies.effective(name, facts, at_ms),
        facts=facts,
        at=locate(asked.place, asked.country, address, fallback),
        may_wait=True,
    )


def order_of_node(ask: NodeAsk, region: str, world: WorldNow, at_ms: int) -> Order:
    """A node's order for a caller who came straight to it; it has checked his key.

    Raises:
        InvalidMessage, Unsupported, Forbidden: of these the node tells the caller.
    """
    language, tenant = _name("language", ask.language), _name("tenant", ask.tenant)
    facts = Facts(tenant, kind_of_data(ask.data), language, _countries(ask.countries))
    policy = world.policies.effective(ask.policy, facts, at_ms)
    if region not in world.world.regions:
        raise InvalidMessage("no such region", field="region", value=region)
    if ask.relay and region not in policy.allowed:
        raise Forbidden(
            f"policy {policy.name} does not allow {region} to pass a session on",
            field="policy",
            value=policy.name,
            remedy="follow redirects, or connect to a node in an allowed region",
        )
    at = Located(world.world.regions[region].place, "node")
    return Order(
        kind=_kind(ask.kind),
        language=language,
        model=None if ask.model is None else _name("model", ask.model),
        policy=policy,
        facts=facts,
        at=at if ask.place is None else Located(check_place(ask.place), ask.place_source),
        may_wait=ask.waits,
        relayed_by=region if ask.relay else None,
    )


def _countries(said: tuple[str, ...]) -> frozenset[str]:
    for country in said:
        _ = country_place(country)  # raises for one that is none
    return frozenset(country.lower() for country in said)


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise Unsupported(
            "unknown kind of session",
            field="kind",
            value=kind,
            remedy=f"use one of {', '.join(KINDS)}",
        )
    return kind


def _name(field: str, value: str) -> str:
    if 0 < len(value) <= LONGEST_NAME and value.isprintable():
        return value
    raise InvalidMessage(
        f"{field} is no name",
        field=field,
        value=value,
        remedy=f"use 1 to {LONGEST_NAME} printable characters",
    )
