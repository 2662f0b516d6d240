"""Whether a caller who came straight to the node with a key may sit down here. Pure.

Policy before distance before load: a node that the policy does not allow never admits, however near
and empty it is.
"""

from dataclasses import dataclass

from edge_node.centre.expiry import Held
from edge_node.centre.rules import permits
from edge_node.desk import Terms
from heliovox.protocol.messages import Place, Start
from shared.errors import Forbidden, NotAllowed
from shared.exchange import KeyGrant, NodeAsk, PlaceSource
from shared.geography import country_place
from shared.places import check_place
from shared.policy import CompiledPolicy, Facts, kind_of_data

OTHERS_WAIT = "others_wait"
"""There is a free seat, and callers who came here before wait for one: the centre knows whose turn
it is."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The node as it is at this moment."""

    region: str
    draining: bool
    fits: int
    """Further sessions of the kind that is asked for."""
    at_ms: int = 0
    """Milliseconds since 1970, by its wall clock: which rules are in force."""
    in_line: int = 0
    """Callers of its own who wait for a seat somewhere."""


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
    start: Start,
    kind: str,
    grant: KeyGrant,
    held: Held,
    standing: Standing,
    by_address: str | None = None,
) -> Admit | AskCentre:
    """The node's decision, and why it is not its own to make.

    Args:
        start: what the caller says.
        kind: of session.
        grant: what his key permits.
        held: the fleet's rules, as the node has them.
        standing: the node's.
        by_address: the country that his address is registered in, where it is known.

    Raises:
        Forbidden: the key does not permit the policy; it is not in effect; it places nobody whose
            country is not known, or contradicted (each a kind of its own).
        Unsupported: there is no such policy, or no such country.
        InvalidMessage: a place that is nowhere, a kind of data that is no word.
        CentreUnreachable, RulesExpired: there are no rules by which he may come.
        NotAllowed: the policy forbids this region, and the caller cannot go elsewhere.
    """
    rules = held.must()
    name = rules.policy_for(grant, start.policy)
    if not permits(grant, name):
        raise Forbidden(
            "the key does not permit this policy",
            field="policy",
            value=name,
            remedy=f"use one of {', '.join(grant.policies) or 'none: the key permits nothing'}",
        )
    facts = Facts(
        grant.tenant,
        kind_of_data(start.data),
        start.language,
        rules.policies.countries(name, start.country, by_address),
    )
    policy = held.effective(name, facts, standing.at_ms)
    place, _ = _place(start)
    home = rules.home(policy, place, standing.region)
    terms = Terms(
        grant.tenant,
        name,
        policy.version,
        facts=facts,
        home=home or standing.region,
        bundle_version=rules.bundle.version,
    )
    why: str | None
    if standing.region not in policy.allowed:
        if not start.redirect:
            raise not_allowed_here(policy, standing.region)
        why = "not_allowed_here"
    else:
        why = _why_not_here(home, standing)
    if why is None:
        return Admit(terms)
    return AskCentre(ask_for(start, kind, terms, why, relay=not start.redirect, waits=True), terms)


def ask_for(
    start: Start, kind: str, terms: Terms, why: str, *, relay: bool, waits: bool
) -> NodeAsk:
    """The question where a caller should go.

    Args:
        start: what he says.
        kind: of session.
        terms: on whose account, and what rules look at.
        why: the node does not keep him.
        relay: whether the node would pass him on.
        waits: whether he waits in line where the policy says so.

    Raises:
        InvalidMessage, Unsupported: he is in a place or country that there is not.
    """
    place, source = _place(start)
    return NodeAsk(
        kind=kind,
        language=start.language.lower(),
        model=start.model,
        policy=terms.policy,
        tenant=terms.tenant,
        place=place,
        place_source=source,
        why=why,
        relay=relay,
        data=terms.facts.data,
        countries=tuple(sorted(terms.facts.countries)),
        waits=waits,
    )


def _place(start: Start) -> tuple[Place | None, PlaceSource]:
    """As the control plane has it: coordinates before the country; None is the node's own."""
    if start.place is not None:
        return check_place(start.place), "given"
    if start.country is not None:
        return country_place(start.country), "country"
    return None, "node"


def _why_not_here(home: str | None, standing: Standing) -> str | None:
    if home != standing.region:
        return "not_home"
    if standing.draining:
        return "node_draining"
    if standing.fits <= 0:
        return "node_full"
    return OTHERS_WAIT if standing.in_line else None


def not_allowed_here(policy: CompiledPolicy, region: str) -> NotAllowed:
    """The policy forbids the region, by which clause, and here is all that could be."""
    clause = dict(policy.removed).get(region)
    return NotAllowed(
        f"{policy.name} does not allow {region}" + (f" ({clause})" if clause else ""),
        field="policy",
        value=policy.name,
        remedy="connect to a node in "
        f"{', '.join(sorted(policy.allowed)) or 'no region: none is left'}, or say `redirect`",
    )
