"""Whether rules may still let a session in: by their date, and by what its policy says. Pure.

Rules that are out of date are not forgotten: a policy may let its sessions in by them for a while,
where nothing newer is to be had. That is judged for each session, and there is no other way to its
policy than through the judgement.
"""

from dataclasses import dataclass
from typing import Literal

from edge_node.centre.rules import Rules
from shared.errors import CentreUnreachable, RulesExpired
from shared.policy import CompiledPolicy, Facts
from shared.policy.moments import moment

State = Literal["in_date", "after_expiry", "expired"]


@dataclass(frozen=True, slots=True)
class Expiry:
    """How rules stand with their date for the sessions of a policy, and why."""

    until_s: float
    """The end of their date, the allowed skew taken off; seconds since 1970."""
    now_s: float
    policy: str
    restricted: bool
    after_s: float
    """For how long after it the policy lets sessions in."""

    @property
    def state(self) -> State:
        """In date, out of date and still good for these sessions, or for none of them."""
        if self.now_s <= self.until_s:
            return "in_date"
        return "after_expiry" if self.now_s <= self.until_s + self.after_s else "expired"

    def check(self) -> None:
        """Raises RulesExpired, which says since when."""
        if self.state != "expired":
            return
        if self.restricted:
            why = f"policy {self.policy} is restricted: nobody is let in by expired rules"
        elif self.after_s:
            why = f"policy {self.policy} goes on for {self.after_s:g} s after that, no longer"
        else:
            why = f"policy {self.policy} does not go on after that"
        raise rules_expired(self.until_s, why, self.policy)


def judge(until_s: float, policy: CompiledPolicy, now_s: float) -> Expiry:
    """How rules that end at a moment stand for the sessions of a policy; seconds since 1970."""
    return Expiry(until_s, now_s, policy.name, policy.restricted, policy.after_expiry_s)


@dataclass(frozen=True, slots=True)
class Held:
    """The last good rules, in date or not, and the moment at which they are looked at."""

    rules: Rules | None
    now_s: float
    """Seconds since 1970, as far as is known: it never runs backwards."""
    superseded: str | None = None
    """Why they are known to be old, in date or not: there are newer ones that cannot be used."""

    @property
    def in_date(self) -> Rules | None:
        """They, unless they have expired."""
        rules = self.rules
        if rules is None or self.superseded is not None or self.now_s > rules.until_s:
            return None
        return rules

    @property
    def left_s(self) -> float:
        """Until they expire; less than 0 for how long they have, and 0 where there are none."""
        return 0.0 if self.rules is None else self.rules.until_s - self.now_s

    def must(self) -> Rules:
        """Rules that let at least some sessions in.

        Raises:
            CentreUnreachable: there never were any.
            RulesExpired: they are too old for every policy in them, or known to be superseded.
        """
        rules = self.rules
        if rules is None:
            raise CentreUnreachable(
                "the node has no valid rules to admit by, and waits for the control plane",
                remedy="use another node, or this one later",
            )
        if self.superseded is not None:
            raise RulesExpired(
                f"the node's rules are out of date: {self.superseded}",
                remedy="use another node; its operator has to set the clock",
            )
        if self.now_s > rules.until_s + rules.longest_after_s:
            raise rules_expired(rules.until_s, "no policy goes on so long after that")
        return rules

    def effective(self, policy: str, facts: Facts, at_ms: int) -> CompiledPolicy:
        """What holds for a session that is to be let in now.

        Args:
            policy: by name.
            facts: what rules look at.
            at_ms: the wall clock, in milliseconds since 1970: which rules are in force.

        Raises:
            CentreUnreachable, RulesExpired: see `must`; also where only others may still come.
            Unsupported: there is no such policy.
            PolicyNotInEffect: not yet, or not any more.
        """
        rules = self.must()
        found = rules.policies.effective(policy, facts, at_ms)
        judge(rules.until_s, found, self.now_s).check()
        return found


def rules_expired(until_s: float, why: str, policy: str | None = None) -> RulesExpired:
    """The error for rules that ended at a moment, in seconds since 1970."""
    since = moment(round(until_s) * 1000)
    return RulesExpired(
        f"the node's rules have expired at {since}, and the control plane sends no newer ones; "
        f"{why}",
        field=None if policy is None else "policy",
        value=policy,
        remedy="use a node that reaches the control plane, or this one once it does again",
    )
