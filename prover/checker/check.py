"""The checker: hears what the router hears, and derives what the router should have decided."""

from collections.abc import Iterator
from typing import Any

from prover.checker import codes
from prover.checker.fleet import Fleet
from prover.checker.order import Ranked, alike, rank, spills, winners
from prover.checker.policy import NOT_IN_EFFECT, Book, Effective, Facts
from prover.checker.reach import CLOSE_MS, Sifted, sift
from prover.checker.violation import Violation
from prover.checker.world import World, read

LEAST_RANKED = 8
"""So many able nodes must be ranked, or all of them."""
ROUNDING = 0.00051
"""Of shown numbers: they have three decimals."""
SUM_ROUNDING_MS = 0.0031
"""Of a shown cost: it is the sum of six shown parts."""
MOST_ASKED = 4
Decision = dict[str, Any]


class Checker:
    """One world, one fleet, every event and every decision in their order.

    Args:
        regions_yaml: the file, word for word.
        began_s: since when the router listens to nodes.
    """

    def __init__(self, regions_yaml: str, began_s: float = 0.0) -> None:
        self.world: World = read(regions_yaml)
        self._book = Book(self.world)
        self._fleet = Fleet(self.world, began_s)

    def heard(self, event: dict[str, Any]) -> None:
        """A report, a seat asked for, an answer, whether a node is reached."""
        self._fleet.heard(event)

    def check(self, decision: Decision) -> list[Violation]:
        """Everything that is wrong with one decision.

        Args:
            decision: `now_s` and `at_ms`, when it was made; `policy`, by name; `facts`; `ask`; and
                what came out: `refused`, a code, where no policy was in effect, else `effective`
                and `answer`: `outcome`, `node`, `region`, `home`, `codes`, the `reasons` of all
                nodes, and the rows of its `ranking`.
        """
        said = decision["facts"]
        facts = Facts(said["tenant"], said["data"], said["language"], frozenset(said["countries"]))
        policy = self._book.effective(decision["policy"], facts, decision["at_ms"])
        refused = decision.get("refused")
        if policy is None or refused is not None:
            due = NOT_IN_EFFECT if policy is None else None
            same = refused == due
            return [] if same else [Violation("policy_period", f"said {refused}, due {due}")]
        found = list(self._of_policy(decision["effective"], policy))
        found += self._of_answer(decision, policy)
        return found

    def asked(self, answer: dict[str, Any], names: list[str]) -> list[Violation]:
        """Only nodes of the ranking may be asked for a seat, in its order, and four at most."""
        ranking = [row["node"] for row in answer["ranking"]]
        if names == ranking[: len(names)] and len(names) <= MOST_ASKED:
            return []
        return [Violation("asked", f"{names}, ranking {ranking}")]

    def _of_policy(self, said: dict[str, Any], due: Effective) -> Iterator[Violation]:
        """Whether what was worked out of rules is what they say."""
        for name, value in said.items():
            derived = getattr(due, name)
            if value != derived:
                yield Violation(f"policy_{name}", f"said {_shown(value)}, due {_shown(derived)}")

    def _of_answer(self, decision: Decision, policy: Effective) -> Iterator[Violation]:
        now_s, ask, answer = decision["now_s"], decision["ask"], decision["answer"]
        self._fleet.looked(now_s)  # who was refused by his policy did not look at the fleet
        found = sift(self.world, self._fleet, policy, ask, now_s)
        yield from _lawful(answer, policy)
        yield from self._of_home(found, answer["home"])
        if found.home != answer["home"]:
            return  # everything else follows from it
        _bear_with(found, answer)
        if found.home is None or not found.able:
            yield from self._of_refusal(found, policy, answer, now_s)
        else:
            ranked = rank(self.world, self._fleet, policy, ask, found, now_s)
            yield from self._of_placing(found, policy, ask, answer, ranked)

    def _of_home(self, found: Sifted, home: str | None) -> Iterator[Violation]:
        if home == found.home:
            return
        if home is not None and found.home is not None and home in found.rtt_ms:
            apart_ms = abs(found.rtt_ms[home] - found.rtt_ms[found.home])
            if 0.0 < apart_ms < CLOSE_MS:
                return
        yield Violation("home", f"said {home}, due {found.home}")

    def _of_refusal(
        self, found: Sifted, policy: Effective, answer: dict[str, Any], now_s: float
    ) -> Iterator[Violation]:
        outcome, due = codes.of_refused(found, policy.allowed, self._fleet, now_s)
        if answer["node"] is not None:
            yield Violation("placed", f"on {answer['node']}, and no node may and can take it")
        elif answer["outcome"] != outcome:
            yield Violation("outcome", f"said {answer['outcome']}, due {outcome}")
        elif set(answer["codes"]) != due:
            yield Violation("codes", f"said {_shown(answer['codes'])}, due {_shown(due)}")
        yield from _of_reasons(answer, found.reasons)

    def _of_placing(
        self,
        found: Sifted,
        policy: Effective,
        ask: dict[str, Any],
        answer: dict[str, Any],
        ranked: list[Ranked],
    ) -> Iterator[Violation]:
        by_name = {each.name: each for each in ranked}
        node = answer["node"]
        if node is None:
            yield Violation("refused", f"{answer['outcome']}, and {ranked[0].name} can take it")
            return
        if node not in by_name:
            why = found.reasons.get(node, "unknown")
            yield Violation("winner", f"{node} cannot take it: {why}")
            return
        due = winners(ranked, ask["draw"])
        if node not in due:
            yield Violation("winner", f"{node}, due {' or '.join(sorted(due))}")
            return
        winner = by_name[node]
        assert found.home is not None
        spilling = spills(self._fleet, policy, found.home, ask["kind"])
        expected = codes.of_placed(found, ranked, winner, policy.allowed, spilling=spilling)
        if due[node] == {False} or (due[node] != {True} and "load_spread" in answer["codes"]):
            expected.add("load_spread")
        if answer["outcome"] != "placed" or answer["region"] != winner.seen.region:
            yield Violation("outcome", f"{answer['outcome']} in {answer['region']}")
        if set(answer["codes"]) != expected:
            yield Violation("codes", f"said {_shown(answer['codes'])}, due {_shown(expected)}")
        yield from _of_reasons(answer, codes.of_losers(found, ranked, winner))
        yield from _of_ranking(answer["ranking"], ranked, by_name, winner)


def _lawful(answer: dict[str, Any], policy: Effective) -> Iterator[Violation]:
    """First of all, and whatever else is wrong: nobody outside of what is allowed."""
    for row in answer["ranking"]:
        if row["region"] not in policy.allowed:
            yield Violation("unlawful", f"{row['node']} in {row['region']} is not allowed")
    if answer["region"] is not None and answer["region"] not in policy.allowed:
        yield Violation("unlawful", f"placed in {answer['region']}, which is not allowed")


def _bear_with(found: Sifted, answer: dict[str, Any]) -> None:
    """Takes the router's word where rounding alone decides whether a region is too far."""
    if not found.doubtful:
        return
    said = answer["reasons"]
    for one in found.seen:
        reason = found.reasons.get(one.name)
        if one.region in found.doubtful and reason in (None, "too_far"):
            if said[one.name] == "too_far":
                found.reasons[one.name] = "too_far"
            else:
                found.reasons.pop(one.name, None)


def _of_reasons(answer: dict[str, Any], due: dict[str, str]) -> Iterator[Violation]:
    said = answer["reasons"]
    if said == due:
        return
    if said.keys() != due.keys():
        yield Violation("nodes", f"said {_shown(said)}, due {_shown(due)}")
        return
    for name, reason in said.items():
        if reason != due[name]:
            yield Violation("reason", f"{name} said {reason}, due {due[name]}")


def _of_ranking(
    rows: list[dict[str, Any]], ranked: list[Ranked], by_name: dict[str, Ranked], winner: Ranked
) -> Iterator[Violation]:
    """Whether it is the beginning of the whole order, the winner moved to the front."""
    names = [row["node"] for row in rows]
    if len(names) < min(LEAST_RANKED, len(ranked)) or not names or names[0] != winner.name:
        yield Violation("ranking", f"{names} of {[each.name for each in ranked]}")
        return
    if any(name not in by_name for name in names):
        return  # said already, as a reason
    said = [by_name[name] for name in names[1:]]
    ranked_too = set(names)
    omitted = [each for each in ranked if each.name not in ranked_too]
    for before, after in zip(said, [*said[1:], *omitted[:1]], strict=False):
        if not _in_order(before, after):
            yield Violation("ranking", f"{before.name} stands before {after.name}")
    for row in rows:
        yield from _of_parts(row, by_name[row["node"]])


def _in_order(before: Ranked, after: Ranked) -> bool:
    if before.place != after.place:
        return before.place < after.place
    if abs(before.risk_ms - after.risk_ms) < CLOSE_MS and not alike(before, after):
        return True
    return before.key <= after.key


def _of_parts(row: dict[str, Any], due: Ranked) -> Iterator[Violation]:
    """Whether the cost that is shown is what it was ranked by."""
    seen = due.seen
    numbers = {
        **due.parts,
        "price_ms": due.price_ms,
        "cost_ms": due.risk_ms,
        "held": seen.node.counted,
        "fits": seen.room,
        "queue": seen.node.report["queue"],
        "share": seen.share,
        "stands_back": due.stands_back,
    }
    for name, value in numbers.items():
        said = row.get(name)
        if said is None and name not in due.parts:
            continue  # a row as it is, and not as it is explained
        most = SUM_ROUNDING_MS if name == "cost_ms" else ROUNDING
        if said is None or abs(said - value) > most:
            yield Violation("cost", f"{due.name}: {name} said {said}, due {value:.6f}")


def _shown(value: object) -> str:
    if isinstance(value, frozenset | set | tuple | list):
        return f"[{', '.join(sorted(map(_shown, value)))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{k}: {_shown(v)}' for k, v in sorted(value.items()))}}}"
    return str(value)
