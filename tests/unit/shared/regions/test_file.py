"""What `regions.yaml` may say, and how every mistake in it is named."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from heliovox.protocol.messages import Place
from shared.regions import Overflow, Tiers
from shared.regions.composing import MAX_BYTES
from shared.regions.file import (
    SECTIONS,
    Checked,
    check_file,
    check_text,
    default_world_path,
    load_world,
    read_world,
)
from shared.regions.problems import RegionsRefused

SHIPPED = default_world_path().read_text()
GOOD = """\
regions:
  north:
    place: {lat: 59.9, lon: 10.7}
    time_zone: Europe/Oslo
    jurisdiction: no
    endpoint: wss://north.example:8300
    tiers: {hot: 1, cold: 3}
    hourly_cost_usd: 0.5
  south:
    place: {lat: 45.5, lon: 9.2}
    time_zone: Europe/Rome
    jurisdiction: it
    tiers: {hot: 1}
zones:
  nordic: [no]
  both: [no, it]
policies:
  default:
    allow: [both]
    overflow: {zones: [both], max_added_rtt_ms: 30}
    when_full: wait
    wait_s: 5
"""
WITH_RULES = (
    GOOD.replace("both: [no, it]", "both: {include: [nordic, it], exclude: [fr]}")
    + """\
  dated: {allow: [both], overflow: {zones: [both]}, from: 2026-01-01, until: 2027-01-01T00:00:00Z}
rules:
  a: {when: {data: [health], languages: [en]}, forbid: [nordic], require: [x], may_refuse: true}
  b: {when: {countries: [de]}, keep: {audio: {zones: [both], days: 3}}, from: 2026-05-01}
ranking: {cost_ms_per_usd: 3}
"""
)


def found(text: str) -> list[tuple[int, str]]:
    """Line and key of every error."""
    return [(p.line, p.key) for p in check_text(text, "f").problems if p.severity == "error"]


def mended(old: str, new: str) -> str:
    assert GOOD.count(old) >= 1
    return GOOD.replace(old, new, 1)


def test_everything_written_is_in_the_world() -> None:
    world = read_world(GOOD, "f")
    north = world.regions["north"]
    assert (north.name, north.place, north.time_zone) == (
        "north",
        Place(59.9, 10.7),
        "Europe/Oslo",
    )
    assert north.jurisdiction == "no"  # Norway, which YAML would call false
    assert north.endpoint == "wss://north.example:8300"
    assert (north.tiers, north.hourly_cost_usd) == (Tiers(hot=1, cold=3), 0.5)
    assert world.zones == {"nordic": {"no"}, "both": {"no", "it"}, "everywhere": {"no", "it"}}
    policy = world.policies["default"]
    assert policy.allow == ("both",)
    assert policy.overflow == Overflow(("both",), 30)
    assert (policy.when_full, policy.wait_s) == ("wait", 5)
    assert world.default_policy == "default"


def test_what_is_left_out_has_the_structs_defaults() -> None:
    world = read_world(GOOD, "f")
    south = world.regions["south"]
    assert (south.endpoint, south.hourly_cost_usd) == (None, 0.0)


def test_the_version_is_the_contents() -> None:
    same, other = read_world(GOOD, "a"), read_world(GOOD + "# note\n", "a")
    assert re.fullmatch(r"[0-9a-f]{12}", same.version)
    assert same.version == read_world(GOOD, "b").version != other.version


def test_the_world_that_ships_is_whole_and_has_nothing_to_be_warned_of() -> None:
    checked = check_file(default_world_path())
    assert checked.problems == ()
    assert checked.world is not None
    assert len(checked.world.regions) >= 9
    assert {
        "default",
        "eu-only",
        "in-only",
        "ksa-only",
        "anywhere",
    } <= checked.world.policies.keys()
    law = {name: region.jurisdiction for name, region in checked.world.regions.items()}
    assert (law["me-central"], law["ap-south"], law["sa-east"]) == ("sa", "in", "br")
    assert all(region.hourly_cost_usd > 0 for region in checked.world.regions.values())


def test_the_file_at_the_root_is_the_one_that_ships() -> None:
    root = Path(__file__).parents[4] / "regions.yaml"
    assert root.resolve() == default_world_path().resolve()


@pytest.mark.parametrize(
    ("old", "new", "line", "key"),
    [
        ("time_zone: Europe/Oslo", "timezone: Europe/Oslo", 4, "regions.north.timezone"),
        ("time_zone: Europe/Oslo", "time_zone: Europe/Osl", 4, "regions.north.time_zone"),
        ("time_zone: Europe/Oslo", "time_zone: ../etc/passwd", 4, "regions.north.time_zone"),
        ("time_zone: Europe/Oslo", "time_zone: Europe", 4, "regions.north.time_zone"),
        ("time_zone: Europe/Oslo", "time_zone:", 4, "regions.north.time_zone"),
        ("lat: 59.9", "lat: 95", 3, "regions.north.place.lat"),
        ("lat: 59.9", "lat: .nan", 3, "regions.north.place.lat"),
        ("lat: 59.9", "lat: 1:30", 3, "regions.north.place.lat"),
        ("lat: 59.9", 'lat: "59.9"', 3, "regions.north.place.lat"),
        ("lat: 59.9", "lat: [59.9]", 3, "regions.north.place.lat"),
        ("lat: 59.9, ", "", 3, "regions.north.place.lat"),
        ("lon: 10.7", "lon: 181", 3, "regions.north.place.lon"),
        ("jurisdiction: no", "jurisdiction: NO", 5, "regions.north.jurisdiction"),
        ("jurisdiction: no", "jurisdiction: uk", 5, "regions.north.jurisdiction"),
        ("    jurisdiction: no\n", "", 2, "regions.north.jurisdiction"),
        ("wss://north", "ftp://north", 6, "regions.north.endpoint"),
        ("wss://north", "wss://key@north", 6, "regions.north.endpoint"),
        ("north.example:8300", "north.example:x", 6, "regions.north.endpoint"),
        ("hot: 1", "hot: -1", 7, "regions.north.tiers.hot"),
        ("hot: 1", "hot: 1.5", 7, "regions.north.tiers.hot"),
        ("hot: 1", "tepid: 1", 7, "regions.north.tiers.tepid"),
        ("usd: 0.5", "usd: 1e999", 8, "regions.north.hourly_cost_usd"),
        ("north:\n", "centre:\n", 2, "regions.centre"),
        ("north:\n", "all:\n", 2, "regions.all"),
        ("north:\n", "North:\n", 2, "regions.North"),
        ("north:\n", "no.rth:\n", 2, "regions.no.rth"),
        ("south:\n", "north:\n", 9, "regions.north"),
        ("nordic: [no]", "nordic: []", 15, "zones.nordic"),
        ("nordic: [no]", "nordic: [no, no]", 15, "zones.nordic.1"),
        ("nordic: [no]", "nordic: [zz]", 15, "zones.nordic.0"),
        ("nordic: [no]", "nordic: no", 15, "zones.nordic"),
        ("nordic: [no]", "everywhere: [no]", 15, "zones.everywhere"),
        ("allow: [both]", "allow: [booth]", 19, "policies.default.allow.0"),
        ("allow: [both]", "allow: []", 19, "policies.default.allow"),
        ("allow: [both]", "allow: [nordic]", 20, "policies.default.overflow.zones.0"),
        ("zones: [both]", "zones: [nowhere]", 20, "policies.default.overflow.zones.0"),
        ("zones: [both], ", "", 20, "policies.default.overflow.zones"),
        ("ms: 30", "ms: -1", 20, "policies.default.overflow.max_added_rtt_ms"),
        ("when_full: wait", "when_full: panic", 21, "policies.default.when_full"),
        ("wait_s: 5", "wait_s: 6000", 22, "policies.default.wait_s"),
        ("  default:\n", "  other:\n", 1, "default_policy"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_a_remedy(
    old: str, new: str, line: int, key: str
) -> None:
    assert found(GOOD) == []
    problems = check_text(mended(old, new), "my.yaml").problems
    [problem] = [p for p in problems if (p.line, p.key) == (line, key)]
    assert problem.severity == "error"
    assert problem.message
    assert problem.remedy
    assert str(problem).startswith(f"my.yaml:{line}: {key}: ")


def test_all_mistakes_of_a_file_are_named_at_once_by_line() -> None:
    text = GOOD
    for old, new in (("lat: 59.9", "lat: 95"), ("it]", "iit]"), ("when_full: wait", "whenfull: x")):
        text = text.replace(old, new)
    with pytest.raises(RegionsRefused) as refused:
        read_world(text, "f")
    assert [p.line for p in refused.value.problems] == [3, 16, 21]
    assert str(refused.value).count("\n") == 2


@pytest.mark.parametrize(
    ("old", "new", "line", "key"),
    [
        ("jurisdiction: no", "jurisdiction: xx", 5, "regions.north.jurisdiction"),
        ("both: [no, it]", "both: [no, xx]", 16, "zones.both.1"),
    ],
)
def test_a_mistake_brings_no_others_with_it(old: str, new: str, line: int, key: str) -> None:
    """A region that could not be read might have been the one that a policy needs."""
    text = GOOD + "  one: {allow: [nordic], overflow: {zones: []}}\n"
    assert check_text(text, "f").problems == ()
    problems = check_text(text.replace(old, new, 1), "f").problems
    assert [(p.line, p.key) for p in problems] == [(line, key)]


def test_an_alias_is_refused_where_all_else_is_well() -> None:
    """Aliases make small files large."""
    text = mended("nordic: [no]", "nordic: &all [no, it]").replace("both: [no, it]", "both: *all")
    [problem] = check_text(text, "f").problems
    assert problem.line == 16
    assert "alias" in problem.message


def test_what_is_damaged_below_is_whole_here() -> None:
    assert found(WITH_RULES) == []


def test_a_policy_that_could_place_nobody_is_refused() -> None:
    text = GOOD.replace("nordic: [no]", "nordic: [se]") + "  lost: {allow: [nordic]}\n"
    assert found(text) == [(23, "policies.lost.allow")]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (mended("    tiers: {hot: 1}\n", ""), "regions.south"),
        (mended("nordic: [no]", "nordic: [no, se]"), "zones.nordic"),
        (mended("    overflow: {zones: [both], max_added_rtt_ms: 30}\n", ""), "policies.default"),
        (GOOD + "  one: {allow: [nordic], overflow: {zones: [nordic]}}\n", "policies.one"),
    ],
)
def test_what_is_odd_but_possible_is_a_warning(text: str, key: str) -> None:
    checked = check_text(text, "f")
    assert checked.world is not None
    assert [(p.key, p.severity) for p in checked.problems] == [(key, "warning")]


def test_a_policy_that_says_it_stays_at_home_is_not_warned_of() -> None:
    text = GOOD + "  one: {allow: [nordic], overflow: {zones: []}}\n"
    assert check_text(text, "f").problems == ()


def test_an_unknown_key_is_answered_with_the_one_that_was_meant() -> None:
    [problem] = check_text(mended("hourly_cost_usd", "hourly_costs_usd"), "f").problems
    assert "did you mean hourly_cost_usd?" in problem.remedy


def test_a_published_world_outlives_a_machine_that_lacks_its_time_zone() -> None:
    text = mended("Europe/Oslo", "Europe/Newly_Named")
    assert found(text)
    world = read_world(text, "bundle", check_time_zones=False)
    assert world.regions["north"].time_zone == "Europe/Newly_Named"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "regions: *bomb",
        "a: &a [x]\nb: [*a, *a]",
        "[" * 1000,
        "{" * 1000,
        "- " * 1000,
        "a: " * 1000,
        '"\\U00110000"',
        "%YAML 1." + "9" * 5000 + "\n--- a",
        "x: \0",
        "\ud800",
        "a: b\n--- c",
        "!!python/object/apply:os.system ['true']",
        "<<: {regions: {}}",
        "? [a]\n: b",
        "regions: !x {}",
        "regions: 3\nzones: 4\npolicies: 5\ndefault_policy: {}",
        "regions:\npolicies:",
        "\t",
        "#" * (MAX_BYTES + 1),
    ],
)
def test_what_is_no_world_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(RegionsRefused) as refused:
        read_world(text, "f")
    assert refused.value.problems


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    latin, long = tmp_path / "latin.yaml", tmp_path / "long.yaml"
    latin.write_bytes(b"regions:\n  # S\xe3o Paulo\n")
    long.write_bytes(b"#" * (MAX_BYTES + 1))
    for path, line in ((tmp_path / "none", 1), (tmp_path, 1), (latin, 2), (long, 1)):
        with pytest.raises(RegionsRefused) as refused:
            load_world(path)
        assert [(p.file, p.line) for p in refused.value.problems] == [(str(path), line)]


def sound(checked: Checked, text: str) -> None:
    """What holds whatever the text."""
    lines = len(re.split("\r\n|[\r\n\x85\u2028\u2029]", text)) + 1
    fatal = [p for p in checked.problems if p.severity == "error"]
    assert (checked.world is None) == bool(fatal)
    for problem in checked.problems:
        assert 1 <= problem.line <= lines
        assert str(problem).isprintable()
        assert problem.message
        assert problem.remedy
        assert len(str(problem)) < 2000


@given(st.text(max_size=200))
def test_any_text_is_a_world_or_a_list_of_problems(text: str) -> None:
    sound(check_text(text, "f"), text)


PIECES = ("", " ", "\n", "  ", ":", ": ", "- ", "[", "]", "{", "}", ",", "'", '"', "#", "&a ", "*a",
          "!", "!!set ", "|", ">", "%", "? ", "\t", "\0", "no", "null", "~", "-1", "1e9", ".inf",
          "zones", "allow", "everywhere", "from: ", "2026-01-01", "rules:\n",
          "exclude", "é", "\u202e", "\ud800", "<<: ", "---\n")  # fmt: skip


@given(st.data())
def test_a_damaged_world_is_a_world_or_a_list_of_problems(data: st.DataObject) -> None:
    """Valid text, cut and mended with pieces that YAML cares for, a few times."""
    text = data.draw(st.sampled_from((GOOD, SHIPPED, WITH_RULES)))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 12))
        text = text[:start] + data.draw(st.sampled_from(PIECES)) + text[start + length :]
    sound(check_text(text, "f"), text)


WORDS = st.sampled_from(
    ["a", "b", "eu", "everywhere", "default", "de", "fr", "no", "wait", "", "\n"]
)
NAMES = st.sampled_from([
    "place", "lat", "lon", "time_zone", "jurisdiction", "tiers", "hot", "endpoint", "allow",
    "overflow", "zones", "max_added_rtt_ms", "when_full", "wait_s", "a", "everywhere", "centre",
    "when", "from", "until", "keep", "audio", "days", "include", "exclude", "may_refuse",
    "languages", "countries",
])  # fmt: skip
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | WORDS, inner, max_size=4),
    max_leaves=30,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(SECTIONS, TREES)))
def test_any_tree_is_a_world_or_a_list_of_problems(tree: dict[str, object]) -> None:
    text = yaml.safe_dump(tree)
    sound(check_text(text, "f"), text)
