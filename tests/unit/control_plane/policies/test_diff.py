"""A diff against sessions decided one by one: what it says holds for exactly whom it says it of."""

from collections.abc import Collection, Iterator
from itertools import islice

import msgspec
import pytest
from hypothesis import given, settings

from control_plane.policies import classes
from control_plane.policies.compare import GONE, NEW, Change
from control_plane.policies.diff import Diff, diff
from control_plane.policies.shortest import Sessions
from shared.errors import InvalidMessage, PolicyNotInEffect
from shared.policy import CompiledPolicy, Facts, Policies, compile_policies
from shared.policy.matching import prefixes
from shared.regions import World
from shared.regions.file import check_text, default_world_path
from tests.support.worlds import Session, sessions, worlds

SHIPPED = default_world_path().read_text()


def named(world: World, words: str, policy: str) -> set[str]:
    """The words that some rule about a policy names in one condition."""
    about = [rule.when for rule in world.rules.values()]
    found = [getattr(when, words) for when in about if policy in (when.policies or {policy})]
    return set[str]().union(*(one for one in found if one is not None))


class Reader:
    """Reads a diff as a person does: is a sentence about this session?"""

    def __init__(self, before: World, after: World, policy: str) -> None:
        self.known = {
            words: named(before, words, policy) | named(after, words, policy)
            for words in ("tenants", "data", "languages", "countries")
        }

    def about(self, told: Sessions, facts: Facts, at_ms: int) -> bool:
        return (
            self._one(told.tenants, "tenants", {facts.tenant})
            and self._one(told.data, "data", {facts.data})
            and self._languages(told.languages, prefixes(facts.language))
            and self._countries(told.countries, facts.countries)
            and (told.from_ms is None or at_ms >= told.from_ms)
            and (told.until_ms is None or at_ms < told.until_ms)
        )

    def _one(self, told: tuple[str, ...] | None, words: str, has: set[str]) -> bool:
        if told is None:
            return True
        return bool(has & set(told)) if told else not has & self.known[words]

    def _languages(self, told: tuple[str, ...] | None, has: Collection[str]) -> bool:
        if not told:
            return self._one(told, "languages", set(has))
        only = {one.removesuffix(" only") for one in told if one.endswith(" only")}
        finest = max((one for one in has if one in self.known["languages"]), key=len, default="")
        return finest in only or bool(set(has) & set(told))

    def _countries(self, told: tuple[str, ...] | None, has: frozenset[str]) -> bool:
        if told is None or not told:
            return told is None or not has & self.known["countries"]
        only = {one.removesuffix(" only") for one in told if one.endswith(" only")}
        named = has & self.known["countries"]
        if len(named) == 1 and named <= only:
            return True
        return any(set(one.split("+")) <= has for one in told)

    def change(self, found: Diff, session: Session) -> Change:
        """All that is said of a session, together."""
        gained, lost, settings = {}, {}, {}
        for policy in found.policies:
            if policy.name != session.policy:
                continue
            for row in policy.changes:
                skipped = any(self.about(b, session.facts, session.at_ms) for b in row.but)
                if self.about(row.sessions, session.facts, session.at_ms) and not skipped:
                    gained |= {one.region: one for one in row.change.gained}
                    lost |= {one.region: one for one in row.change.lost}
                    settings |= {one.name: one for one in row.change.settings}
        return Change(*(tuple(one.values()) for one in (gained, lost, settings)))


def holds(policies: Policies, session: Session) -> CompiledPolicy | None:
    try:
        return policies.effective(*session)
    except PolicyNotInEffect:
        return None


def everybody(before: World, after: World) -> Iterator[Session]:
    seen = dict.fromkeys([*sessions(before), *sessions(after)])
    yield from islice(seen, 0, None, 29)


@given(worlds())
def test_a_world_is_no_different_from_itself(world: World) -> None:
    found = diff(world, world)
    assert found.same
    assert (found.zones, found.moments) == ((), ())


@given(worlds(), worlds())
def test_what_is_gained_one_way_is_lost_the_other(before: World, after: World) -> None:
    there, back = diff(before, after), diff(after, before)
    assert there.same == back.same
    assert [one.name for one in there.policies] == [one.name for one in back.policies]
    for one, other in zip(there.policies, back.policies, strict=True):
        lost = {(r.sessions, r.but, c) for r in one.changes for c in r.change.lost}
        gained = {(r.sessions, r.but, c) for r in other.changes for c in r.change.gained}
        swapped = {
            (s, b, msgspec.structs.replace(c, clause={GONE: NEW}.get(c.clause, c.clause)))
            for s, b, c in lost
        }
        assert swapped == gained


@settings(max_examples=25, deadline=None)
@given(worlds(), worlds())
def test_it_says_of_every_session_what_becomes_of_it(before: World, after: World) -> None:
    found = diff(before, after)
    readers = {name: Reader(before, after, name) for name in before.policies}
    old, new = compile_policies(before), compile_policies(after)
    for session in everybody(before, after):
        was, now = holds(old, session), holds(new, session)
        told = readers[session.policy].change(found, session)
        if was is None or now is None:
            assert ("in_effect" in {one.name for one in told.settings}) == (was is not now)
            continue
        assert {one.region for one in told.lost} == was.allowed - now.allowed, session
        assert {one.region for one in told.gained} == now.allowed - was.allowed, session
        full = {(one.before, one.after) for one in told.settings if one.name == "when_full"}
        assert full == ({(was.when_full, now.when_full)} - {(now.when_full, was.when_full)})


@given(worlds())
def test_what_is_over_is_no_difference(world: World) -> None:
    """At the last moment that any date names, nothing is left of dates."""
    bare = msgspec.structs.replace(
        world,
        rules={
            name: rule
            for name, rule in world.rules.items()
            if rule.period.until_ms is None
        },
    )  # fmt: skip
    assert diff(world, bare, since_ms=10_000).same


def changed(*swaps: tuple[str, str]) -> World:
    text = SHIPPED
    for old, new in swaps:
        assert old in text, old
        text = text.replace(old, new, 1)
    checked = check_text(text, "changed")
    assert checked.world is not None, checked.problems
    return checked.world


BANK = """\
  bank:
    when: {tenants: [bank], countries: [fr]}
    from: 2027-01-01
    forbid: [india]
    may_refuse: true
    when_full: refuse
default_policy"""


def test_a_rule_is_told_once_for_whom_it_is_about() -> None:
    found = diff(changed(), changed(("default_policy", BANK)))
    by_name = {one.name: one for one in found.policies}
    [row] = by_name["default"].changes
    assert row.sessions == Sessions(tenants=("bank",), countries=("fr",), from_ms=1798761600000)
    assert [(one.region, one.clause) for one in row.change.lost] == [("ap-south", "bank.forbid")]
    assert [one.name for one in row.change.settings] == ["when_full"]
    assert "eu-only" not in by_name  # neither the region nor the setting was otherwise there
    assert [(one.at_ms, one.what, one.sign) for one in found.moments] == [
        (1798761600000, "rule bank begins", "+")
    ]


def test_a_language_without_its_finer_ones_is_told_so() -> None:
    rule = """\
  tongue:
    when: {languages: [en]}
    when_full: wait
default_policy"""
    before, after = (
        changed(("default_policy", rule.replace("[en]", one))) for one in ("[en]", "[en-gb]")
    )
    by_name = {one.name: one for one in diff(before, after).policies}
    [row] = by_name["anywhere"].changes
    assert row.sessions == Sessions(languages=("en only",))


def test_another_wording_of_the_same_is_no_difference() -> None:
    found = diff(changed(), changed(("  ksa: [sa]", "  ksa: {include: [sa, sg], exclude: [sg]}")))
    assert found.same
    assert found.before != found.after
    wait = ("    when_full: refuse\n", "    when_full: refuse\n    wait_s: 99\n")
    assert diff(changed(), changed(wait)).same  # nobody waits


def test_regions_and_the_file_as_a_whole() -> None:
    found = diff(
        changed(),
        changed(
            ("hourly_cost_usd: 1.05", "hourly_cost_usd: 1.5"),
            ("[iso27001, c5]", "[iso27001]"),
            ("default_policy: default", "ranking: {cost_ms_per_usd: 2}\ndefault_policy: eu-only"),
        ),
    )
    told = {one.name: [(s.name, s.before, s.after) for s in one.settings] for one in found.regions}
    assert told == {
        "ap-northeast": [("hourly_cost_usd", 1.05, 1.5)],
        "eu-central": [("certifications", ("c5", "iso27001"), ("iso27001",))],
    }
    assert {one.name: (one.before, one.after) for one in found.settings} == {
        "default_policy": ("default", "eu-only"),
        "ranking.cost_ms_per_usd": (0.0, 2.0),
    }
    assert not found.same


def test_a_region_that_goes_is_lost_to_all_who_had_it() -> None:
    start = SHIPPED.index("  sa-east:")
    gone = check_text(SHIPPED[:start] + SHIPPED[SHIPPED.index("  ap-southeast:") :], "gone").world
    assert gone is not None
    found = diff(changed(), gone)
    assert [(one.name, one.what) for one in found.regions] == [("sa-east", "removed")]
    lost = {one.name: one.changes[0].change.lost[0] for one in found.policies}
    assert {one.clause for one in lost.values()} == {GONE}
    assert lost.keys() == {"default", "anywhere"}


def test_more_than_can_be_looked_at_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classes.Pair.classes, "__defaults__", (1,))
    with pytest.raises(InvalidMessage, match=r"meets rules in \d+ ways"):
        diff(changed(), changed(("default_policy", BANK)))
