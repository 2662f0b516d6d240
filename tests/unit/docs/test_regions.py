"""The page on regions names every key that the structs have, and its example is a world."""

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from shared.errors import Forbidden, NotAllowed, PlaceContradicted, PlaceUnknown, PolicyNotInEffect
from shared.policy import compile_policies
from shared.policy.reachable import MOST
from shared.regions import Overflow, Policy, Region, Tiers
from shared.regions.composing import MAX_BYTES
from shared.regions.file import REQUIRED, SECTIONS, check_text, default_world_path, load_world
from shared.regions.model import (
    CountryFrom,
    Keep,
    Kept,
    RankingRules,
    Rule,
    When,
    WhenForbidden,
    WhenFull,
)
from shared.regions.policies import (
    EFFECTS,
    LEAST_LOAD,
    MOST_AFTER_EXPIRY_S,
    MOST_DAYS,
    MOST_MS_PER_USD,
    MOST_RECOVERY_S,
    MOST_WAIT_S,
)
from shared.regions.words import keys_of
from shared.regions.zones import KEYS, MOST_NESTED

PAGE = (Path(__file__).parents[3] / "docs" / "regions.md").read_text()


def rows(head: str) -> dict[str, list[str]]:
    """The rows of a table by what stands in their first cell."""
    table = PAGE.split(f"| {head} |")[1].split("\n\n")[0]
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines()[2:]]
    return {row[0].strip("`"): row[1:] for row in cells}


@pytest.mark.parametrize(
    ("head", "struct"),
    [
        ("key of a region", Region),
        ("key of `tiers`", Tiers),
        ("key of a policy", Policy),
        ("key of `overflow`", Overflow),
        ("key of `keep`", Keep),
        ("key of a rule", Rule),
        ("key of `when`", When),
        ("key of `ranking`", RankingRules),
    ],
)
def test_every_key_is_on_the_page_and_every_key_on_the_page_is_one(
    head: str, struct: type[msgspec.Struct]
) -> None:
    assert tuple(rows(head)) == keys_of(struct)


def test_sections_of_the_file_and_which_are_needed() -> None:
    table = rows("key of the file")
    assert tuple(table) == SECTIONS
    assert {name for name, (needed, _) in table.items() if needed == "yes"} == set(REQUIRED)


def test_defaults_and_limits_on_the_page_are_the_real_ones() -> None:
    policy = Policy("p", ())
    table = rows("key of a policy")
    assert table["when_full"][0] == f"`{policy.when_full}`"
    assert table["wait_s"] == [
        f"{policy.wait_s:g}",
        f"how long `wait` waits, {MOST_WAIT_S:g} at most",
    ]
    assert table["when_forbidden"][0] == f"`{policy.when_forbidden}`"
    assert f"{MOST_AFTER_EXPIRY_S:,} at most" in table["after_expiry_s"][1]
    assert f"{MOST_RECOVERY_S:g} at most" in table["recovery_s"][1]
    assert f"{MAX_BYTES // 1024} KiB" in PAGE
    assert f"{MOST:,} combinations" in PAGE
    assert f"{MOST_NESTED} deep at most" in PAGE
    assert rows("key of `overflow`")["from_load"][1].startswith(f"{LEAST_LOAD:g} to 1:")
    assert f"{MOST_DAYS} at most" in rows("key of `keep`")["days"][1]
    assert f"0 to {MOST_MS_PER_USD:g}:" in rows("key of `ranking`")["cost_ms_per_usd"][1]


def test_every_word_that_a_key_takes_is_on_the_page() -> None:
    assert tuple(rows("key of a zone")) == KEYS
    assert tuple(rows("`country_from`")) == get_args(CountryFrom)
    assert set(EFFECTS) < set(rows("key of a rule"))
    for word in (*get_args(WhenFull), *get_args(WhenForbidden), *get_args(Kept)):
        assert f"`{word}`" in PAGE


def test_every_code_that_the_reader_of_policies_refuses_with_is_on_the_page() -> None:
    for kind in (PolicyNotInEffect, PlaceUnknown, PlaceContradicted, NotAllowed, Forbidden):
        assert f"`{kind.code}`" in PAGE


def test_the_example_is_a_world_without_a_blemish() -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert check_text(example, "docs/regions.md").problems == ()


def test_the_policies_that_ship_are_described_as_they_are() -> None:
    policies = compile_policies(load_world(default_world_path())).by_name
    table = rows("policy")
    assert table.keys() == policies.keys()
    for name, (allowed, _, full) in table.items():
        policy = policies[name]
        if allowed != "every region":
            assert set(re.findall(r"`([a-z-]+)`", allowed)) == policy.allowed
        waits = f"waits {policy.wait_s:g} s"
        assert full == ("refuses" if policy.when_full == "refuse" else waits)
