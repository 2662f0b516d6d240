"""What policies and rules come to, by small cases worked out by hand from docs/regions.md."""

import pytest

from prover.checker.policy import Book, Effective, Facts, countries_of
from prover.checker.sound import faults
from prover.checker.world import moment_ms, read
from tests.support.small_world import text

NOBODY = Facts("t1", "general", "en", frozenset())
NEW_YEAR = 1_767_225_600_000  # 2026-01-01T00:00:00Z


def effective(policies: str, rest: str = "", facts: Facts = NOBODY, at_ms: int = 0) -> Effective:
    found = Book(read(text(policies, rest))).effective("p", facts, at_ms)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("zone", "law"),
    [
        ("union", {"de", "fr"}),
        ("europe", {"de", "fr", "no"}),
        ("mainland", {"de", "fr"}),
        ("abroad", {"us"}),
        ("everywhere", {"de", "fr", "no", "us"}),
    ],
)
def test_zones_are_jurisdictions_less_what_they_exclude(zone: str, law: set[str]) -> None:
    assert read(text("  p: {allow: [union]}")).zones[zone] == law


def test_restrictions_add_up_and_name_the_clause_that_took_each_region() -> None:
    policies = "  p: {allow: [europe], forbid: [union], require: [iso27001]}"
    found = effective(policies)
    assert found.allowed == {"oslo"}
    assert found.removed == {"berlin": "p.forbid", "paris": "p.forbid", "ashburn": "p.allow"}


def test_what_is_missing_first_by_name_is_named() -> None:
    found = effective("  p: {allow: [everywhere], require: [iso27001, hipaa]}")
    assert found.removed["paris"] == "p.require.hipaa"
    assert found.removed["berlin"] == "p.require.hipaa"
    assert found.allowed == {"oslo"}


def test_a_rule_never_widens_what_the_policy_allows() -> None:
    found = effective("  p: {allow: [union]}", "rules:\n  r: {allow: [everywhere]}")
    assert found.allowed == {"berlin", "paris"}


def test_overflow_and_preference_stay_inside_what_is_left() -> None:
    rest = "rules:\n  r: {forbid: [abroad], overflow: {zones: [everywhere]}, prefer: [abroad]}"
    found = effective("  p: {allow: [everywhere]}", rest)
    assert found.overflow == {"oslo", "berlin", "paris"}
    assert found.preferred == frozenset()


@pytest.mark.parametrize(
    ("when", "facts", "matched"),
    [
        ("{tenants: [t1, t2]}", {}, True),
        ("{tenants: [t2]}", {}, False),
        ("{data: [health]}", {"data": "health"}, True),
        ("{languages: [en]}", {"language": "EN-gb"}, True),
        ("{languages: [en-GB]}", {"language": "en"}, False),
        ("{languages: [en]}", {"language": "eng"}, False),
        ("{countries: [no]}", {"countries": frozenset({"no", "de"})}, True),
        ("{countries: [no]}", {}, False),
        ("{policies: [p]}", {}, True),
        ("{policies: [q]}", {}, False),
        ("{tenants: [t1], data: [health]}", {}, False),
    ],
)
def test_a_rule_is_about_sessions_that_meet_all_its_conditions(
    when: str, facts: dict[str, object], matched: bool
) -> None:
    rest = f"rules:\n  r:\n    when: {when}\n    forbid: [union]"
    policies = "  p: {allow: [everywhere]}\n  q: {allow: [everywhere]}"
    found = effective(policies, rest, NOBODY._replace(**facts))
    assert found.rules == (("r",) if matched else ())
    assert ("berlin" in found.removed) == matched


def test_the_more_precise_rule_sets_what_both_set() -> None:
    rest = """rules:
  by-tenant: {when: {tenants: [t1]}, when_full: wait}
  by-all-else: {when: {data: [general], languages: [en], policies: [p]}, when_full: call_back,
    wait_s: 3}"""
    found = effective("  p: {allow: [union], wait_s: 7}", rest)
    assert (found.when_full, found.wait_s) == ("wait", 3.0)


@pytest.mark.parametrize(
    ("at_ms", "matched"),
    [(NEW_YEAR - 1, False), (NEW_YEAR, True), (NEW_YEAR + 1, True), (NEW_YEAR + 1000, False)],
)
def test_dates_hold_from_their_first_moment_up_to_their_last(at_ms: int, matched: bool) -> None:
    dates = "from: 2026-01-01, until: 2026-01-01T02:00:01+02:00"
    rest = f"rules:\n  r: {{forbid: [union], {dates}}}"
    found = effective("  p: {allow: [everywhere]}", rest, at_ms=at_ms)
    assert found.rules == (("r",) if matched else ())


def test_a_policy_outside_of_its_dates_is_none() -> None:
    book = Book(read(text("  p: {allow: [union], until: 2026-01-01}")))
    assert book.effective("p", NOBODY, NEW_YEAR - 1) is not None
    assert book.effective("p", NOBODY, NEW_YEAR) is None


def test_moments_are_read_with_their_offset() -> None:
    assert moment_ms("2026-01-01T05:30:00+05:30") == moment_ms("2026-01-01") == NEW_YEAR


@pytest.mark.parametrize(
    ("mode", "claimed", "address", "due"),
    [
        ("claim", "de", "fr", {"de"}),
        ("claim", None, "fr", {"fr"}),
        ("address", "de", "fr", {"fr"}),
        ("address", "de", None, "place_unknown"),
        ("both", "de", "fr", {"de", "fr"}),
        ("both", "de", None, {"de"}),
        ("both", None, None, set()),
        ("agree", "de", "de", {"de"}),
        ("agree", "de", "fr", "place_contradicted"),
        ("agree", None, "fr", "place_unknown"),
    ],
)
def test_countries_of_a_caller(
    mode: str, claimed: str | None, address: str | None, due: set[str] | str
) -> None:
    assert countries_of(mode, claimed, address) == due


TIED = """rules:
  r1: {when: {tenants: [t1]}, wait_s: 1%s}
  r2: {when: {tenants: [%s]}, wait_s: 2%s}"""


@pytest.mark.parametrize(
    ("rest", "fault"),
    [
        ("", None),
        ("rules:\n  r: {forbid: [everywhere]}", "nobody p r"),
        ("rules:\n  r: {forbid: [everywhere], may_refuse: true}", None),
        ("rules:\n  r1: {forbid: [union]}\n  r2: {forbid: [no-one]}", "nobody p r1 r2"),
        (("rules:\n  r1: {forbid: [union], until: 2026-01-01}\n"
         "  r2: {forbid: [no-one], from: 2026-01-01}"), None),
        (TIED % ("", "t1", ""), "overlap r1 r2 wait_s"),
        (TIED % ("", "t2", ""), None),
        (TIED % (", until: 2026-01-01", "t1", ", from: 2026-01-01"), None),
        (("rules:\n  r1: {when: {countries: [de]}, wait_s: 1}\n"
         "  r2: {when: {countries: [fr]}, wait_s: 2}"), "overlap r1 r2 wait_s"),
        (("rules:\n  r1: {when: {tenants: [t1]}, wait_s: 1}\n"
         "  r2: {when: {data: [x]}, wait_s: 2}"), None),
    ],
)  # fmt: skip
def test_which_files_must_be_refused(rest: str, fault: str | None) -> None:
    file = text("  p: {allow: [europe]}", rest).replace("zones:", "zones:\n  no-one: [no]")
    assert list(faults(read(file))) == ([] if fault is None else [fault])
