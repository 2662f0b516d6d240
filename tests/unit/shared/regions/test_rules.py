# ruff: noqa: E501 a mistake, and what is said of it, is a line
"""What `regions.yaml` may say of zones, policies, rules and dates, and how mistakes are named."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.policy.moments import milliseconds, moment
from shared.regions.file import check_text, read_world
from shared.regions.model import (
    Keep,
    Overflow,
    Period,
    RankingRules,
    Rule,
    When,
)
from shared.regions.zones import MOST_NESTED

GOOD = """\
regions:
  n: {place: {lat: 60, lon: 10}, time_zone: UTC, jurisdiction: no, tiers: {hot: 1}, certifications: [iso27001]}
  i: {place: {lat: 45, lon: 9}, time_zone: UTC, jurisdiction: it, tiers: {hot: 1}, certifications: [iso27001]}
  u: {place: {lat: 39, lon: -77}, time_zone: UTC, jurisdiction: us, tiers: {hot: 1}, certifications: [hipaa, iso27001]}
zones:
  norway: [no]
  europe: {include: [norway, it]}
  abroad: {include: [everywhere], exclude: [europe]}
policies:
  default:
    allow: [everywhere]
    forbid: [abroad]
    require: [iso27001]
    prefer: [norway]
    overflow: {zones: [everywhere], from_load: 0.8, max_added_rtt_ms: 20, max_added_cost_usd: 0.5}
    when_full: call_back
    wait_s: 5
    country_from: agree
    after_expiry_s: 3600
    when_forbidden: finish
    recovery_s: 300
    keep:
      audio: {zones: [norway], days: 0}
      transcripts: {zones: [everywhere], days: 30}
  all: {allow: [everywhere], overflow: {zones: [everywhere]}, from: 2026-01-01, until: 2027-01-01T00:00:00+01:00}
rules:
  health:
    when: {data: [health], languages: [en-GB, EN], countries: [de, us], tenants: [Acme_1], policies: [all]}
    from: 2026-01-01T09:30:00.5Z
    forbid: [norway]
    require: [hipaa]
    keep: {audio: {zones: [europe], days: 7}}
  tight:
    when: {policies: [all]}
    allow: [europe]
    prefer: []
    overflow: {zones: []}
    when_full: wait
    wait_s: 1
    restricted: true
    after_expiry_s: 0
    when_forbidden: move
    recovery_s: 0
    ledger: required
    may_refuse: true
ranking: {cost_ms_per_usd: 2.5, conservative: false}
waiting: {weights: {Acme_1: 5, b: 100}}
"""


def problems(text: str) -> list[tuple[str, str]]:
    return [(p.key, p.severity) for p in check_text(text, "f").problems]


def said(text: str) -> str:
    return "\n".join(map(str, check_text(text, "f").problems))


def mended(old: str, new: str) -> str:
    assert GOOD.count(old) >= 1, old
    return GOOD.replace(old, new, 1)


def ms(*at: int) -> int:
    return milliseconds(datetime(*at, tzinfo=UTC))  # type: ignore[misc,arg-type]


def test_everything_written_is_in_the_world() -> None:
    assert said(GOOD) == ""
    world = read_world(GOOD, "f")
    assert world.regions["u"].certifications == {"hipaa", "iso27001"}
    assert world.zones == {
        "norway": {"no"}, "europe": {"no", "it"}, "abroad": {"us"},
        "everywhere": {"no", "it", "us"},
    }  # fmt: skip
    default, every = world.policies["default"], world.policies["all"]
    assert (default.forbid, default.require, default.prefer) == (
        ("abroad",),
        {"iso27001"},
        ("norway",),
    )
    assert default.overflow == Overflow(("everywhere",), 20.0, 0.5, 0.8)
    assert (default.when_full, default.country_from) == ("call_back", "agree")
    assert (default.restricted, default.after_expiry_s) == (False, 3600)
    assert (default.when_forbidden, every.when_forbidden) == ("finish", "end")
    assert (default.recovery_s, every.recovery_s) == (300.0, None)
    assert default.keep == {"audio": Keep(("norway",), 0), "transcripts": Keep(("everywhere",), 30)}
    assert every.country_from == "both"
    assert every.period == Period(ms(2026, 1, 1), ms(2026, 12, 31, 23))
    assert world.rules == {
        "health": Rule(
            "health",
            When(*map(frozenset, ({"Acme_1"}, {"health"}, {"en-gb", "en"}, {"de", "us"}, {"all"}))),
            Period(ms(2026, 1, 1, 9, 30) + 500, None),
            forbid=("norway",),
            require=frozenset({"hipaa"}),
            keep={"audio": Keep(("europe",), 7)},
        ),
        "tight": Rule(
            "tight",
            When(policies=frozenset({"all"})),
            allow=("europe",),
            prefer=(),
            overflow=Overflow(),
            when_full="wait",
            wait_s=1.0,
            restricted=True,
            after_expiry_s=0,
            when_forbidden="move",
            recovery_s=0.0,
            ledger="required",
            may_refuse=True,
        ),
    }
    assert list(world.rules) == ["health", "tight"]
    assert world.ranking == RankingRules(2.5, conservative=False)
    assert [world.waiting.weight(tenant) for tenant in ("Acme_1", "b", "nobody")] == [5, 100, 1]


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("[iso27001]}", "[ISO 27001]}", "regions.n.certifications.0", "is no certification"),
        ("  abroad:", "  in: [no]\n  abroad:", "zones.in", "ISO 3166 code"),
        ("norway: [no]", "norway: [se-x]", "zones.norway.0", "no jurisdiction and no zone"),
        ("[norway, it]", "[norwy, it]", "zones.europe.include.0", "did you mean norway?"),
        ("[norway, it]", "[]", "zones.europe", "holds no jurisdiction"),
        ("{include: [norway, it]}", "{}", "zones.europe.include", "is missing"),
        ("{include: [norway, it]}", "{include: [it], but: [no]}", "zones.europe.but", "unknown key"),
        ("exclude: [europe]", "exclude: [everywhere]", "zones.abroad", "all that it includes"),
        ("norway: [no]", "norway: [europe]", "zones.europe.include.0", "norway -> europe -> norway"),
        ("norway: [no]", "norway: [no, norway]", "zones.norway.1", "norway -> norway"),
        ("[abroad]", "[abraod]", "policies.default.forbid.0", "no zone 'abraod'"),
        ("[abroad]", "[everywhere]", "policies.default.allow", "forbid take away all"),
        ("require: [iso27001]", "require: [fips]", "policies.default.allow", "require.fips"),
        ("after_expiry_s: 3600", "after_expiry_s: 604801", "policies.default.after_expiry_s", "0 to 604800"),
        ("after_expiry_s: 3600", "after_expiry_s: 1.5", "policies.default.after_expiry_s", "0 to 604800"),
        ("ledger: required", "ledger: yes", "rules.tight.ledger", "use wanted or required"),
        ("restricted: true", "restricted: yes", "rules.tight.restricted", "use true or false"),
        ("when_forbidden: finish", "when_forbidden: stop", "policies.default.when_forbidden", "finish or end or move"),
        ("recovery_s: 300", "recovery_s: 601", "policies.default.recovery_s", "from 0 to 600"),
        ("recovery_s: 300", "recovery_s: for ever", "policies.default.recovery_s", "from 0 to 600"),
        ("prefer: [norway]", "prefer: [moon]", "policies.default.prefer.0", "no zone 'moon'"),
        ("from_load: 0.8", "from_load: 0.04", "policies.default.overflow.from_load", "0.05 to 1"),
        ("from_load: 0.8", "from_load: 80%", "policies.default.overflow.from_load", "0.05 to 1"),
        ("usd: 0.5", "usd: -1", "policies.default.overflow.max_added_cost_usd", "from 0"),
        ("call_back", "callback", "policies.default.when_full", "refuse or wait or call_back"),
        ("country_from: agree", "country_from: ip", "policies.default.country_from", "claim or add"),
        ("audio: {zones: [norway], days: 0}", "video: {}", "policies.default.keep.video", "unknown"),
        ("audio: {zones: [norway], days: 0}", "audio: {days: 0}", "policies.default.keep.audio.zones", "missing"),
        ("zones: [norway], days: 0", "zones: [norway]", "policies.default.keep.audio.days", "missing"),
        ("days: 30", "days: 3651", "policies.default.keep.transcripts.days", "0 to 3650"),
        ("zones: [norway], days: 0", "zones: [moon], days: 0", "policies.default.keep.audio.zones.0", "no zone"),
        ("from: 2026-01-01,", "from: 2026-13-01,", "policies.all.from", "on no calendar"),
        ("from: 2026-01-01,", "from: 2026-02-29,", "policies.all.from", "on no calendar"),
        ("from: 2026-01-01,", "from: tomorrow,", "policies.all.from", "is no date"),
        ("from: 2026-01-01,", "from: 2028-01-01,", "policies.all.until", "not later than from"),
        ("from: 2026-01-01,", "from: 2026-12-31T23:00:00Z,", "policies.all.until", "not later"),
        ("00:00+01:00", "00:00", "policies.all.until", "offset"),
        ("    country_from: agree", "    from: 2026-01-01", "policies.default", "is the default"),
        ("data: [health]", "data: []", "rules.health.when.data", "names nothing"),
        ("data: [health]", "date: [health]", "rules.health.when.date", "unknown key"),
        ("data: [health]", "data: [Health]", "rules.health.when.data.0", "no kind of data"),
        ("[Acme_1]", "['a b']", "rules.health.when.tenants.0", "is no tenant"),
        ("[en-GB, EN]", "[en_GB]", "rules.health.when.languages.0", "is no language"),
        ("[de, us]", "[de, uk]", "rules.health.when.countries.1", "is no country"),
        ("policies: [all]}\n    from", "policies: [al]}\n    from", "rules.health.when.policies", "no policy 'al'"),
        ("forbid: [norway]", "forbid: [norge]", "rules.health.forbid.0", "no zone 'norge'"),
        ("may_refuse: true", "may_refuse: yes", "rules.tight.may_refuse", "true or false"),
        ("  tight:\n", "  all:\n", "rules.all", "name of a policy"),
        ("  tight:\n", "  Tight:\n", "rules.Tight", "cannot be the name of a rule"),
        ("  tight:\n", "  idle: {when: {policies: [all]}}\n  tight:\n", "rules.idle", "does nothing"),
        ("cost_ms_per_usd: 2.5", "cost_ms_per_usd: 101", "ranking.cost_ms_per_usd", "0 to 100"),
        ("conservative: false", "conservative: 0", "ranking.conservative", "true or false"),
        ("rules:\n", "rule:\n", "rule", "did you mean rules?"),
        ("{Acme_1: 5, b: 100}", "{Acme_1: 0, b: 100}", "waiting.weights.Acme_1", "never get a seat"),
        ("{Acme_1: 5, b: 100}", "{Acme_1: 5, b: 101}", "waiting.weights.b", "from 0 to 100"),
        ("{Acme_1: 5, b: 100}", "{Acme_1: 5, b: 1.5}", "waiting.weights.b", "whole number"),
        ("{Acme_1: 5, b: 100}", "{Acme_1: 5, 'a b': 1}", "waiting.weights.'a b'", "is no tenant"),
        ("{Acme_1: 5, b: 100}", "{}", "waiting.weights", "is empty"),
        ("waiting: {weights", "waiting: {weight", "waiting.weight", "did you mean weights?"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_key_and_a_remedy(
    old: str, new: str, key: str, words: str
) -> None:
    found = check_text(mended(old, new), "f").problems
    errors = [p for p in found if p.severity == "error"]
    assert [p.key for p in errors] == [key]  # and brings no others with it
    assert words in str(errors[0])
    assert errors[0].remedy


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("exclude: [europe]", "exclude: [europe, se]", "zones.abroad.exclude.1"),
        ("  abroad: {", "  swedish: [se]\n  abroad: {", "zones.swedish"),
        ("after_expiry_s: 0", "after_expiry_s: 9", "rules.tight.after_expiry_s"),
        ("finish", "finish\n    restricted: true", "policies.default.after_expiry_s"),
    ],
)
def test_what_is_odd_but_possible_is_a_warning(old: str, new: str, key: str) -> None:
    assert problems(mended(old, new)) == [(key, "warning")]


def test_what_would_be_kept_where_no_session_may_be_is_refused() -> None:
    more = "  eu: {allow: [europe], overflow: {zones: []}, keep: {audio: {zones: [abroad], days: 1}}}\n"
    text = GOOD.replace("rules:\n", more + "rules:\n")
    assert problems(text) == [("policies.eu.keep.audio.zones.0", "error")]


def test_a_chain_of_zones_is_refused_before_python_gives_up() -> None:
    """In whichever order they are written."""
    zones = [f"  z{n}: [z{n + 1}]\n" for n in range(1200)] + ["  z1200: [no]\n"]
    short = zones[-MOST_NESTED:]
    for few in (short, list(reversed(short))):
        text = mended("  norway: [no]\n", "  norway: [no]\n" + "".join(few))
        assert problems(text) == []
    for many in (zones, list(reversed(zones))):
        text = mended("  norway: [no]\n", "  norway: [no]\n" + "".join(many))
        found = problems(text)
        assert {severity for _, severity in found} == {"error"}
        assert all("deep" in line for line in said(text).splitlines())


def test_a_combination_that_leaves_no_region_is_named_unless_it_is_meant() -> None:
    text = mended("    may_refuse: true\n", "")
    [problem] = check_text(text, "f").problems
    assert problem.key == "rules.tight"
    assert "policy all and health, tight together leave no region" in problem.message
    assert "may_refuse" in problem.remedy


def test_dates_that_part_rules_part_their_contradictions() -> None:
    one = "  one: {when: {policies: [all]}, until: 2026-06-01, wait_s: 3}\n"
    two = "  two: {when: {policies: [all]}, from: 2026-06-01, wait_s: 4}\n"
    well = mended("rules:\n", "rules:\n" + one + two).replace("    wait_s: 1\n", "")
    assert problems(well) == []
    found = check_text(well.replace("from: 2026-06-01", "from: 2026-05-31T23:59:59.999Z"), "f")
    assert [p.key for p in found.problems] == ["rules.two.wait_s"]
    assert "overlapping precedence" in found.problems[0].message
    assert "rule one" in found.problems[0].message


@pytest.mark.parametrize("when", ["countries: [de]", "tenants: [t]", "languages: [en]"])
def test_rules_that_set_the_same_differently_are_refused_whatever_they_look_at(when: str) -> None:
    one = f"  one: {{when: {{{when}}}, keep: {{recovery: {{zones: [norway], days: 1}}}}}}\n"
    two = one.replace("one:", "two:").replace("days: 1", "days: 2")
    assert problems(GOOD.replace("rules:\n", "rules:\n" + one + one.replace("one:", "two:"))) == []
    found = problems(GOOD.replace("rules:\n", "rules:\n" + one + two))
    assert found == [("rules.two.keep.recovery", "error")]


def test_a_caller_may_be_in_two_countries_so_rules_for_two_can_meet() -> None:
    rules = (
        "  one: {when: {countries: [de]}, wait_s: 3}\n  two: {when: {countries: [fr]}, wait_s: 4}\n"
    )
    assert problems(GOOD.replace("rules:\n", "rules:\n" + rules)) == [("rules.two.wait_s", "error")]
    one_country = GOOD.replace(
        "overflow: {zones: [everywhere]}, from",
        "country_from: claim, overflow: {zones: [everywhere]}, from",
    )
    assert problems(one_country.replace("rules:\n", "rules:\n" + rules)) == []


@given(st.integers(ms(1970, 1, 1), ms(9999, 12, 31)))
def test_a_moment_is_read_as_it_is_written(at_ms: int) -> None:
    text = mended("until: 2027-01-01T00:00:00+01:00", "").replace(
        "from: 2026-01-01, ", f"from: {moment(at_ms)}"
    )
    assert read_world(text, "f").policies["all"].period == Period(at_ms, None)
