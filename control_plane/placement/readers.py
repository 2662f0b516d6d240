"""A decision as its three readers need it: the caller, the operator (who reads all), compliance.

Pure, and made from what is served to operators, so that decisions of other control planes, which
are known only so, can be told in every form.
"""

from heliovox.protocol.control import (
    Advice,
    AllowedRegion,
    CallerWhy,
    ComplianceWhy,
    DecisionView,
    RemovedRegion,
)


def for_caller(view: DecisionView) -> CallerWhy:
    """Why here, or why refused, and what to do. Says nothing of nodes that he did not get."""
    seated = view.session is not None
    return CallerWhy(
        id=view.id,
        at_ms=view.at_ms,
        outcome="placed" if seated else "refused",
        reasons=view.reasons if seated or view.outcome == "refused" else (_NOBODY_GAVE,),
        advice=_advice(view),
        kind=view.kind,
        language=view.language,
        model=view.model,
        policy=view.policy,
        policy_version=view.policy_version,
        allowed_regions=view.allowed_regions,
        home_region=view.home_region,
        node=view.node if seated else None,
        region=view.region if seated else None,
        rtt_ms=view.ranking[0].rtt_ms if seated and view.ranking else None,
        session=view.session,
        continues=view.continues,
        because=view.because,
        came_from=view.came_from,
    )


_NOBODY_GAVE = "no_seat_given"
_OFFERS_NOT = {"no_kind", "no_language", "no_model"}


def _advice(view: DecisionView) -> Advice:
    if view.session is not None:
        return "connect"
    if view.refusal != "not_allowed":
        return "try_again"
    offers_not = _OFFERS_NOT.intersection(view.reasons)
    return "ask_for_what_is_offered" if offers_not else "use_another_policy"


def for_compliance(view: DecisionView) -> ComplianceWhy:
    """Which clause allowed or took away each region, signed by whom, for which facts."""
    return ComplianceWhy(
        id=view.id,
        at_ms=view.at_ms,
        control_plane=view.control_plane,
        tenant=view.tenant,
        data=view.data,
        language=view.language,
        countries=view.countries,
        place=view.place,
        place_source=view.place_source,
        policy=view.policy,
        policy_version=view.policy_version,
        rules=view.rules,
        signed_by=view.signed_by,
        allowed=tuple(_allowed(view, region) for region in view.allowed_regions),
        removed=tuple(RemovedRegion(*one) for one in sorted(view.removed.items())),
        home_region=view.home_region,
        outcome="refused" if view.session is None else "placed",
        region=view.region if view.session is not None else None,
        within_policy=view.session is None or view.region in view.allowed_regions,
        session=view.session,
        continues=view.continues,
        because=view.because,
        came_from=view.came_from,
    )


def _allowed(view: DecisionView, region: str) -> AllowedRegion:
    return AllowedRegion(
        region,
        f"{view.policy}.allow",
        home=region == view.home_region,
        overflow=region in view.overflow_regions,
        preferred=region in view.preferred_regions,
    )
