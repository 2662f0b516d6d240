"""Whether a caller who came straight to the node with a key may sit down here. Pure.

Policy before distance before load: a node that the policy does not allow never admits, however near
and empty it is.
"""

from dataclasses import dataclass

from edge_node.centre.rules import Rules, permits
from edge_node.desk import Terms
from heliovox.protocol.messages import Start
from shared.errors import Forbidden, NotAllowed
from shared.exchange import KeyGrant, NodeAsk
from shared.places import check_place


@dataclass(frozen=True, slots=True)
class Standing:
    """The node as it is at this moment."""

    region: str
    draining: bool
    fits: int
    """Further sessions of the kind that is asked for."""


@dataclass(frozen=True, slots=True)
class Admit:
    """Here: allowed, at home, and there is room."""

    terms: Terms


@dataclass(frozen=True, slots=True)
class AskCentre:
    """Not here, as far as the node can tell: the centre knows better."""

    ask: NodeAsk
    terms: Terms


def decide(
    start: Start, kind: str, grant: KeyGrant, rules: Rules, standing: Standing
) -> Admit | AskCentre:
    """The node's decision, and why it is not its own to make.

    Raises:
        Forbidden: the key does not permit the policy.
        Unsupported: there is no such policy.
        InvalidMessage: a place that is nowhere.
        NotAllowed: the policy forbids this region, and the caller cannot go elsewhere.
    """
    name = rules.policy_for(grant, start.policy)
    if not permits(grant, name):
        raise Forbidden(
            "the key does not permit this policy",
            field="policy",
            value=name,
            remedy=f"use one of {', '.join(grant.policies) or 'none: the key permits nothing'}",
        )
    policy = rules.policies.of(name)
    place = None if start.place is None else check_place(start.place)
    terms = Terms(grant.tenant, name, policy.version)
    why: str | None
    if standing.region not in policy.allowed:
        if not start.redirect:
            raise not_allowed_here(name, standing.region, policy.allowed)
        why = "not_allowed_here"
    else:
        why = _why_not_here(rules.home(policy, place, standing.region), standing)
    if why is None:
        return Admit(terms)
    ask = NodeAsk(
        kind=kind,
        language=start.language.lower(),
        model=start.model,
        policy=name,
        tenant=grant.tenant,
        place=place,
        place_source="node" if place is None else "given",
        why=why,
        relay=not start.redirect,
    )
    return AskCentre(ask, terms)


def _why_not_here(home: str | None, standing: Standing) -> str | None:
    if home != standing.region:
        return "not_home"
    if standing.draining:
        return "node_draining"
    return "node_full" if standing.fits <= 0 else None


def not_allowed_here(policy: str, region: str, allowed: frozenset[str]) -> NotAllowed:
    """The policy forbids the region, and here is all that could be."""
    return NotAllowed(
        f"{policy} does not allow {region}",
        field="policy",
        value=policy,
        remedy=f"connect to a node in {', '.join(sorted(allowed)) or 'no region: it allows none'}, "
        "or say `redirect`",
    )
