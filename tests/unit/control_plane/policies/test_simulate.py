"""Recorded decisions under other policies: what stays, what moves, and whose seats are whose."""

from collections.abc import Iterable, Sequence

import msgspec
import pytest

from control_plane.fleet import Fleet
from control_plane.placement import decide
from control_plane.placement import record as records
from control_plane.placement.record import Batch
from control_plane.placement.recorder import Recorder
from control_plane.policies.review import Found
from control_plane.policies.simulate import Options, Simulation
from control_plane.policies.tally import Counts, Tally
from control_plane.policies.terms import TermsOfBoth
from control_plane.records.contents import Noted
from shared.policy import compile_policies
from shared.regions import Overflow, Policy, World
from shared.regions.model import RankingRules, Rule, When
from tests.support import simulated
from tests.support.fleets import ask, report, world
from tests.support.logs import noted
from tests.support.simulated import Hour

EU = ("eu",)


@pytest.fixture(scope="module")
def hour() -> list[Batch]:
    """Half of one, in which the ranking does not change."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulated, "RANKINGS", (RankingRules(),))
        return list(Hour(seed=4, seconds=1800).batches())


def run(
    proposed: World, contents: Iterable[Batch | list[Noted]], options: Options | None = None
) -> tuple[Found, Counts]:
    simulation = Simulation(proposed, options)
    for one in contents:
        if isinstance(one, Batch):
            simulation.batch(one)
        else:
            simulation.notes(one)
    found = simulation.finish()
    assert not list(simulation._seats.items())  # every seat that was taken was given back
    return found, Tally(found.rows).total()


def test_the_policies_that_were_in_force_change_nothing(hour: list[Batch]) -> None:
    found, counts = run(world(), hour)
    assert counts.sessions == found.decisions > 3000
    assert counts.placed_before == counts.placed_after > 2000
    assert (counts.moved, counts.other_node, counts.refused, counts.served) == (0, 0, 0, 0)
    assert counts.cost_before_usd == pytest.approx(counts.cost_after_usd)
    assert (found.decided_again, found.skipped) == (0, 0)


def test_nor_do_they_where_everything_is_decided_again(
    hour: list[Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the fleet here is the recorded one, to the last number."""
    monkeypatch.setattr(TermsOfBoth, "_are_alike", lambda *_: False)
    found, counts = run(world(), hour)
    assert found.decided_again == found.decisions
    assert (counts.moved, counts.other_node, counts.refused, counts.served) == (0, 0, 0, 0)


def test_it_comes_out_the_same_every_time(hour: list[Batch]) -> None:
    narrow = world("v2", anywhere=Policy("anywhere", EU, Overflow(EU)))
    once, again = run(narrow, hour)[0], run(narrow, hour)[0]
    assert once == again


def test_a_narrower_policy_moves_those_who_were_outside_and_crowds_the_rest(
    hour: list[Batch],
) -> None:
    found, counts = run(world("v2", anywhere=Policy("anywhere", EU, Overflow(EU))), hour)
    assert counts.sessions == found.decisions
    assert counts.moved > 100
    assert counts.refused > 100
    assert counts.placed_after < counts.placed_before
    assert sum(counts.added_rtt_ms.values()) == counts.moved
    moved = [one for one in found.examples if one.change == "moved"]
    refused = [one for one in found.examples if one.change == "refused"]
    assert "anywhere.allow" in {one.why for one in moved}
    assert all(str(one.after).startswith("eu-") for one in moved if one.policy == "anywhere")
    assert any(one.policy == "eu-only" for one in refused)  # whose seats others took


def test_a_policy_that_is_gone_refuses_everybody_under_it(hour: list[Batch]) -> None:
    without = world("v2")
    policies = {name: one for name, one in without.policies.items() if name != "near"}
    found, counts = run(msgspec.structs.replace(without, policies=policies), hour)
    near = [one for batch in hour for one in batch.records
            if isinstance(one, records.Decided) and one.policy == "near"]  # fmt: skip
    tried = {one.decision: one.session for batch in hour for one in batch.records
             if isinstance(one, records.Tried)}  # fmt: skip
    assert counts.refused >= sum(tried[one.ask.id] is not None for one in near) > 100
    refused = [one for one in found.examples if one.change == "refused"]
    assert {one.why for one in refused if one.policy == "near"} == {"unsupported"}


def test_a_region_that_is_gone_takes_nobody(hour: list[Batch]) -> None:
    whole = world("v2")
    left = {name: one for name, one in whole.regions.items() if name != "sa-east"}
    found, counts = run(msgspec.structs.replace(whole, regions=left), hour)
    assert counts.moved > 0
    assert not [one for one in found.examples if str(one.after).startswith("sa-east")]


def test_only_what_was_asked_for_in_time_counts(hour: list[Batch]) -> None:
    _, all_of_it = run(world(), hour)
    _, before = run(world(), hour, Options(until_ms=600_000))
    _, after = run(world(), hour, Options(from_ms=600_000))
    assert before.sessions + after.sessions == all_of_it.sessions
    assert before.sessions > 500


def test_a_batch_that_is_missing_is_waited_out(hour: list[Batch]) -> None:
    found, counts = run(world(), [*hour[:20], *hour[21:]])
    assert found.skipped > 100
    assert counts.moved == counts.refused == 0
    assert found.decisions + found.skipped <= sum(
        isinstance(one, records.Decided) for batch in hour for one in batch.records
    )


class Small:
    """Two regions, a node each, and sessions of which all is known."""

    def __init__(self, **policies: Policy) -> None:
        self.recorded = world("v1", **policies)
        self.recorder = Recorder("plane-1", "s1")
        self.fleet = Fleet(self.recorded, 0.0, witness=self.recorder)
        self.held = {"c": 0, "w": 0}
        self.now_s, self.seq = 10.0, 0
        self.contents: list[Batch | list[Noted]] = []
        self.beat()

    def beat(self) -> None:
        """Both nodes report; each has two seats."""
        self.seq += 1
        for node, region in (("c", "eu-central"), ("w", "eu-west")):
            held = self.held[node]
            said = report(node, region, seq=self.seq, held=held, fits=2 - held, limit=2)
            self.fleet.reported(said, self.now_s)

    def passes(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now_s += 1.0
            self.beat()

    def comes(self, name: str, policy: str = "eu-only", order: str = "", **says: object) -> None:
        """A caller in Paris, decided on and placed as a control plane does."""
        wanted = ask(id=name, at_ms=round(self.now_s * 1000), order=order or f"o-{name}", **says)
        rules = compile_policies(self.recorded).effective(policy, wanted.facts, wanted.at_ms)
        decision = decide(self.fleet.view(self.now_s), wanted, rules)
        self.recorder.decided(decision)
        story: Sequence[str] = ()
        if (winner := decision.winner) is not None:
            hold = self.fleet.held_back(winner.node, "recognition", self.now_s)
            assert hold is not None
            self.held[winner.node] += 1
            self.fleet.granted(hold, self.held[winner.node])
            story = (f"{winner.node}: granted",)
        self.recorder.tried(name, story, f"s-{name}" if winner is not None else None)
        if winner is not None:
            self._take([noted(f"s-{name}", "started", wanted.at_ms + 100)])

    def leaves(self, name: str, node: str) -> None:
        self.held[node] -= 1
        self.beat()
        self._take([noted(f"s-{name}", "ended", round(self.now_s * 1000))])

    def _take(self, notes: list[Noted]) -> None:
        while (packed := self.recorder.take()) is not None:
            self.contents.append(records.read_batch(packed.data))
        self.contents.append(notes)

    def end(self) -> list[Batch | list[Noted]]:
        self._take([])
        return self.contents


WEST = Policy("eu-only", EU, Overflow(()), forbid=("de-only",))


def west(**changes: object) -> World:
    """`eu-only` may not be in Germany any more."""
    proposed = world("v2", **{"eu-only": msgspec.structs.replace(WEST, **changes)})
    zones = {**proposed.zones, "de-only": frozenset({"de"})}
    return msgspec.structs.replace(proposed, zones=zones)


def test_a_seat_is_taken_elsewhere_until_the_session_ends() -> None:
    """Three who stood in Frankfurt, and two seats in Dublin: the third gets one once one ended."""
    small = Small()
    small.comes("1")
    small.comes("2")
    small.passes(3)
    small.comes("3")  # recorded: Frankfurt is full, so Dublin
    small.passes(100)
    small.leaves("1", "c")
    small.passes(2)
    small.comes("4")  # recorded: Frankfurt
    small.passes(2)
    found, counts = run(west(), small.end())
    told = {one.decision: one for one in found.examples}
    assert counts.sessions == 4
    assert (told["1"].before, told["1"].after) == ("eu-central/c", "eu-west/w")
    assert told["2"].after == "eu-west/w"
    assert (told["3"].before, told["3"].after) == ("eu-west/w", None)
    assert told["4"].after == "eu-west/w"  # the first's seat
    assert (counts.moved, counts.refused) == (3, 1)
    assert counts.cost_after_usd < counts.cost_before_usd  # Dublin is cheaper, and one is gone


def test_who_waits_is_placed_when_a_seat_is_free_in_the_simulation() -> None:
    small = Small()
    small.comes("1", may_wait=True)
    small.comes("2", may_wait=True)
    small.passes(2)
    small.comes("3", may_wait=True)
    small.passes(5)
    small.leaves("1", "c")
    small.passes(3)
    small.comes("other", "at-home")  # time passes with decisions
    small.passes(30)
    small.comes("another", "at-home")
    found, counts = run(west(when_full="wait", wait_s=20.0), small.end())
    told = {(one.change, one.decision): one for one in found.examples}
    assert counts.refused == 0
    assert counts.waits == 1
    waits = told["waits", "3"]
    assert waits.after == "eu-west/w"
    assert 4.0 < waits.added_wait_s < 12.0
    impatient, counts = run(west(when_full="refuse"), small.end())
    assert counts.refused == 1
    assert {one.decision for one in impatient.examples if one.change == "refused"} == {"3"}


def test_decisions_about_one_order_are_one_session() -> None:
    small = Small(**{"eu-only": Policy("eu-only", EU, when_full="wait", wait_s=30.0)})
    for name in ("1", "2"):
        small.comes(name, may_wait=True)
    small.passes(2)
    for name in ("3a", "3b", "3c"):  # at-home: Frankfurt alone, and it is full
        small.comes(name, order="o-3", may_wait=True)
        small.passes(3)
    small.leaves("1", "c")
    small.passes(1)
    small.comes("3d", order="o-3", may_wait=True)
    small.passes(2)
    _, counts = run(world("v1", **{"eu-only": small.recorded.policies["eu-only"]}), small.end())
    assert counts.sessions == 3
    assert counts.placed_before == counts.placed_after == 3
    assert counts.wait_before_s == counts.wait_after_s == pytest.approx(10.0)
    wide = world("v2", **{"eu-only": Policy("eu-only", EU, Overflow(EU), "wait", 30.0)})
    found, counts = run(wide, small.end())
    assert (counts.moved, counts.sooner) == (1, 1)
    assert counts.wait_after_s == 0.0
    assert {one.decision for one in found.examples} <= {"3a", "3b", "3c", "3d"}


def test_a_session_that_goes_on_elsewhere_is_no_second_one() -> None:
    small = Small()
    small.comes("1")
    small.passes(3)
    small.comes("1b", continues="s-1", because="moved", came_from="c", without=("c",))
    small.passes(3)
    _, counts = run(world("v1"), small.end())
    assert (counts.sessions, counts.placed_before, counts.placed_after) == (1, 1, 1)
    found, counts = run(west(), small.end())
    assert (counts.moved, found.decisions) == (1, 1)


def test_sessions_that_nodes_admitted_are_counted_apart() -> None:
    direct = [
        noted("d1", "started", 10_000, admitted_by="node", policy="eu-only", region="eu-central"),
        noted("d2", "started", 10_000, admitted_by="node", policy="eu-only", region="eu-west"),
        noted("d3", "started", 10_000, policy="eu-only"),
    ]
    small = Small()
    small.comes("1")
    found, _ = run(west(), [direct, *small.end()])
    assert (found.direct, found.direct_forbidden) == (2, 1)


def test_a_rule_hits_the_tenant_that_it_is_about() -> None:
    rule = Rule("no-de", When(tenants=frozenset({"bank"})), forbid=("de-only",))
    proposed = msgspec.structs.replace(west(forbid=()), rules={"no-de": rule})
    small = Small()
    small.comes("1", tenant="bank")
    small.comes("2", tenant="shop")
    small.passes(2)
    found, _ = run(proposed, small.end())
    by_tenant = {tenant: counts for (tenant, _), counts in found.rows.items()}
    assert (by_tenant["bank"].moved, by_tenant["shop"].moved) == (1, 0)
    assert [one.why for one in found.examples if one.change == "moved"] == ["no-de.forbid"]
