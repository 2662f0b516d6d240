"""The schema for editors: it is current, and takes and refuses what the reader does."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.regions import policies, words, zones
from shared.regions.file import SECTIONS, check_text, default_world_path
from shared.regions.model import (
    Keep,
    Overflow,
    Policy,
    RankingRules,
    Region,
    Rule,
    Tiers,
    WaitingRules,
    When,
)
from shared.regions.schema import schema, schema_text

ROOT = Path(__file__).parents[4]
SCHEMA = schema()
EXAMPLE = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/regions.md").read_text(), re.DOTALL)[0]


class Loader(yaml.SafeLoader):
    """YAML 1.2, as editors read it: `no` is a word, and so is a date."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in found if not tag.endswith((":bool", ":timestamp"))]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))  # type: ignore[no-untyped-call]
TYPES = {"object": dict, "array": list, "string": str, "number": (int, float), "integer": int}


def fits(value: Any, rule: dict[str, Any]) -> bool:
    """As JSON Schema has it, as far as this schema goes. An unknown word would be an error."""
    known = {"$schema", "title", "description"}
    checks = {
        "type": lambda kind: (
            isinstance(value, TYPES.get(kind, bool))
            and (kind == "boolean") == isinstance(value, bool)
        ),
        "enum": lambda choice: value in choice,
        "pattern": lambda form: re.search(form, value) is not None,
        "minimum": lambda least: value >= least,
        "maximum": lambda most: value <= most,
        "items": lambda one: all(fits(each, one) for each in value),
        "uniqueItems": lambda _: len(value) == len(set(map(str, value))),
        "minItems": lambda least: len(value) >= least,
        "minProperties": lambda least: len(value) >= least,
        "required": lambda names: set(names) <= set(value),
        "propertyNames": lambda one: all(fits(name, one) for name in value),
        "properties": lambda of: all(fits(value[key], of[key]) for key in value if key in of),
        "additionalProperties": lambda more: all(
            more is not False and fits(value[key], more)
            for key in value
            if key not in rule.get("properties", {})
        ),
        "oneOf": lambda of: sum(fits(value, one) for one in of) == 1,
        "anyOf": lambda of: any(fits(value, one) for one in of),
    }
    return all(checks[key](rule[key]) for key in checks.keys() & rule.keys()) and (
        rule.keys() <= checks.keys() | known
    )


def taken(text: str) -> bool:
    try:
        return fits(yaml.load(text, Loader), SCHEMA)
    except (TypeError, AttributeError):  # a check met another type than it is for
        return False


def test_the_file_is_what_the_model_makes() -> None:
    """Otherwise: heliovox policy schema > docs/regions.schema.json."""
    assert (ROOT / "docs/regions.schema.json").read_text() == schema_text()


def test_worlds_that_are_well_are_taken() -> None:
    for text in (default_world_path().read_text(), EXAMPLE):
        assert check_text(text, "f").problems == ()
        assert taken(text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("regions:", "region:"),
        ("lat: 59.91", "lat: 95"),
        ("jurisdiction: no", "jurisdiction: Norway"),
        ("tiers: {hot: 2, ", "tiers: {tepid: 2, "),
        ("[iso27001, hds]", "[ISO]"),
        ("{include: [everywhere], exclude: [norway]}", "{exclude: [norway]}"),
        ("from_load: 0.8", "from_load: 8"),
        ("when_full: wait", "when_full: panic"),
        ("wait_s: 10", "wait_s: 601"),
        ("days: 30", "days: 3651"),
        ("country_from: agree", "country_from: ip"),
        ("from: 2026-01-01", "from: soon"),
        ("00:00+01:00", "00:00"),
        ("data: [health]", "data: []"),
        ("countries: [kp]", "countries: [KP]"),
        ("may_refuse: true", "may_refuse: maybe"),
        ("cost_ms_per_usd: 2", "cost_ms_per_usd: 101"),
        ("weights: {st-olavs: 3}", "weights: {st-olavs: 0}"),
        ("weights: {st-olavs: 3}", "weights: {st-olavs: 101}"),
        ("weights: {st-olavs: 3}", "weights: {st-olavs: 1.5}"),
        ("weights: {st-olavs: 3}", "weights: {st.olavs: 3}"),
        ("weights: {st-olavs: 3}", "weights: {}"),
        ("waiting: {weights", "waiting: {shares"),
        ("    forbid: [everywhere]\n    may_refuse", "    may_refuse"),
    ],
)
def test_what_the_reader_refuses_is_refused(old: str, new: str) -> None:
    assert EXAMPLE.count(old) >= 1
    text = EXAMPLE.replace(old, new, 1)
    assert check_text(text, "f").world is None
    assert not taken(text)


def test_no_key_of_the_model_is_missing() -> None:
    parts = SCHEMA["properties"]
    rule = parts["rules"]["additionalProperties"]["properties"]
    policy = parts["policies"]["additionalProperties"]["properties"]
    region = parts["regions"]["additionalProperties"]["properties"]
    assert tuple(parts) == SECTIONS
    for struct, keys in (
        (Region, region),
        (Tiers, region["tiers"]["properties"]),
        (Policy, policy),
        (Overflow, policy["overflow"]["properties"]),
        (Keep, policy["keep"]["properties"]["audio"]["properties"]),
        (Rule, rule),
        (When, rule["when"]["properties"]),
        (RankingRules, parts["ranking"]["properties"]),
        (WaitingRules, parts["waiting"]["properties"]),
    ):
        assert tuple(keys) == words.keys_of(struct)
    assert tuple(parts["zones"]["additionalProperties"]["oneOf"][1]["properties"]) == zones.KEYS
    assert {each["required"][0] for each in parts["rules"]["additionalProperties"]["anyOf"]} == set(
        policies.EFFECTS
    )


def test_it_tells_what_keys_mean() -> None:
    region = json.loads(schema_text())["properties"]["regions"]["additionalProperties"]
    assert region["properties"]["jurisdiction"]["description"].startswith("Whose law holds")
