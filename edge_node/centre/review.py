"""What newer rules say of a session that runs. Pure."""

from dataclasses import dataclass
from typing import Literal

from edge_node.centre.rules import Rules
from edge_node.desk import Terms
from shared.errors import NoLongerAllowed, PolicyNotInEffect, Unsupported
from shared.exchange import Ruled
from shared.policy import CompiledPolicy

Does = Literal["stay", "finish", "end", "move"]
GONE = "no_such_policy"
"""In place of a clause: the rules have no policy of that name any more."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What becomes of the session, by which rules, and by which clause of them."""

    does: Does
    region: str
    policy: str
    policy_version: str
    bundle_version: str
    clause: str = ""
    elsewhere: frozenset[str] = frozenset()
    """Regions that may take it now."""

    @property
    def error(self) -> NoLongerAllowed:
        """As the caller hears it."""
        where = ", ".join(sorted(self.elsewhere))
        return NoLongerAllowed(
            f"policy {self.policy} of version {self.policy_version} does not allow "
            f"{self.region} any more ({self.clause}; bundle {self.bundle_version})",
            field="policy",
            value=self.policy,
            remedy=f"open it again: it is placed in {where}" if where else "use another policy",
        )

    @property
    def noted(self) -> Ruled:
        """As it is taken down."""
        return Ruled(
            "finish" if self.does == "stay" else self.does,
            self.bundle_version,
            self.policy_version,
            self.clause,
        )


def review(terms: Terms, region: str, rules: Rules, at_ms: int) -> Ruling:
    """Whether a session may go on where it is, and what happens where it may not.

    A policy whose time is over forbids nothing: it only lets nobody in any more.

    Args:
        terms: of the session.
        region: in which it runs.
        rules: of now.
        at_ms: the wall clock, in milliseconds since 1970.
    """
    try:
        policy = rules.policies.effective(terms.policy, terms.facts, at_ms)
    except PolicyNotInEffect:
        return _ruling("stay", terms, region, rules)
    except Unsupported:
        return _ruling("end", terms, region, rules, GONE)
    if region in policy.allowed:
        return _ruling("stay", terms, region, rules)
    clause = dict(policy.removed).get(region, "")
    return _ruling(policy.when_forbidden, terms, region, rules, clause, policy)


def _ruling(
    does: Does,
    terms: Terms,
    region: str,
    rules: Rules,
    clause: str = "",
    policy: CompiledPolicy | None = None,
) -> Ruling:
    elsewhere = frozenset[str]() if policy is None else policy.allowed
    version, bundle = rules.policies.version, rules.bundle.version
    return Ruling(does, region, terms.policy, version, bundle, clause, elsewhere)
