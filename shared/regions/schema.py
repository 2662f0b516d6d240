"""The JSON schema of `regions.yaml`, for editors: made from the model, so that it is never another.

It knows keys, words and limits. What parts mean together only the lint knows.
"""

import ast
import inspect
import json
import textwrap
from typing import Any, get_args

import msgspec

from shared.regions import policies, words, zones
from shared.regions.composing import MAX_BYTES
from shared.regions.file import REQUIRED, SECTIONS
from shared.regions.model import (
    WORD,
    CountryFrom,
    Keep,
    Kept,
    LedgerNeed,
    Overflow,
    Policy,
    RankingRules,
    Region,
    Rule,
    Tiers,
    WaitingRules,
    When,
    WhenForbidden,
    WhenFull,
)
from shared.regions.parts import MOST_NODES, MOST_USD, SCHEMES
from shared.regions.parts import REQUIRED as REGION_REQUIRED
from shared.regions.weights import MOST_WEIGHT

Schema = dict[str, Any]
_COUNTRY = {"type": "string", "pattern": "^[a-z]{2}$"}
_MOMENT = {"type": "string", "pattern": f"^{words.MOMENT}$"}


def schema_text() -> str:
    """As it lies at docs/regions.schema.json."""
    return json.dumps(schema(), indent=2) + "\n"


def schema() -> Schema:
    """The whole of it."""
    zone = {"oneOf": [_words(WORD), _object(dict.fromkeys(zones.KEYS, _words(WORD)), ["include"])]}
    sections = {
        "regions": _named(_region()),
        "zones": _named(zone),
        "policies": _named(_policy()),
        "rules": _named(_rule()),
        "ranking": _struct(RankingRules, cost_ms_per_usd=_number(policies.MOST_MS_PER_USD)),
        "waiting": _struct(
            WaitingRules, weights=_named(_whole(MOST_WEIGHT, 1), pattern=words.TENANT)
        ),
        "default_policy": _word(WORD),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Regions and policies of Heliovox",
        "description": f"See docs/regions.md. {MAX_BYTES // 1024} KiB at most.",
        **_object({name: sections[name] for name in SECTIONS}, list(REQUIRED)),
    }


def _region() -> Schema:
    place = _object({"lat": _number(90, -90), "lon": _number(180, -180)}, ["lat", "lon"])
    tiers = _struct(Tiers, **dict.fromkeys(words.keys_of(Tiers), _whole(MOST_NODES)))
    return _struct(
        Region,
        REGION_REQUIRED,
        place=place,
        time_zone={"type": "string"},
        jurisdiction=_COUNTRY,
        endpoint={"type": "string", "pattern": f"^({'|'.join(SCHEMES)})://"},
        tiers=tiers,
        hourly_cost_usd=_number(MOST_USD),
        certifications=_words(WORD),
    )


def _effects() -> Schema:
    """What policies and rules share."""
    overflow = _struct(
        Overflow,
        ["zones"],
        zones=_words(WORD),
        max_added_rtt_ms=_number(policies.MOST_RTT_MS),
        max_added_cost_usd=_number(policies.MOST_ADDED_USD),
        from_load=_number(1, policies.LEAST_LOAD),
    )
    keep = _struct(Keep, words.keys_of(Keep), zones=_words(WORD), days=_whole(policies.MOST_DAYS))
    return {
        **dict.fromkeys(("allow", "forbid", "require", "prefer"), _words(WORD)),
        "overflow": overflow,
        "when_full": {"enum": list(get_args(WhenFull))},
        "wait_s": _number(policies.MOST_WAIT_S),
        "keep": _object(dict.fromkeys(get_args(Kept), keep)),
        "restricted": {"type": "boolean"},
        "after_expiry_s": _whole(policies.MOST_AFTER_EXPIRY_S),
        "when_forbidden": {"enum": list(get_args(WhenForbidden))},
        "recovery_s": _number(policies.MOST_RECOVERY_S),
        "ledger": {"enum": list(get_args(LedgerNeed))},
        "from": _MOMENT,
        "until": _MOMENT,
    }


def _policy() -> Schema:
    return _struct(
        Policy, ["allow"], **_effects(), country_from={"enum": list(get_args(CountryFrom))}
    )


def _rule() -> Schema:
    when = _struct(
        When,
        tenants=_words(words.TENANT, least=1),
        data=_words(WORD, least=1),
        languages=_words(words.LANGUAGE, least=1),
        countries={**_words(), "items": _COUNTRY, "minItems": 1},
        policies=_words(WORD, least=1),
    )
    rule = _struct(Rule, when=when, **_effects(), may_refuse={"type": "boolean"})
    return {**rule, "anyOf": [{"required": [effect]} for effect in policies.EFFECTS]}


def _struct(struct: type[msgspec.Struct], required: Any = (), **keys: Schema) -> Schema:
    """An object with the struct's keys; each says what its docstring says."""
    said = _docstrings(struct)
    boolean = {"type": "boolean"}
    parts = {
        key: {**keys.get(key, boolean), **({"description": said[key]} if key in said else {})}
        for key in words.keys_of(struct)
    }
    return {"description": (inspect.getdoc(struct) or "").split("\n")[0]} | _object(
        parts, list(required)
    )


def _docstrings(struct: type[msgspec.Struct]) -> dict[str, str]:
    [body] = ast.parse(textwrap.dedent(inspect.getsource(struct))).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, said in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(said, ast.Expr):
            assert isinstance(field.target, ast.Name)
            found[field.target.id] = " ".join(str(ast.literal_eval(said.value)).split())
    return found


def _object(keys: Schema, required: Any = ()) -> Schema:
    whole = {"type": "object", "properties": keys, "additionalProperties": False}
    return {**whole, "required": list(required)} if required else whole


def _named(part: Schema, pattern: str = WORD) -> Schema:
    return {
        "type": "object",
        "propertyNames": {"pattern": f"^{pattern}$"},
        "additionalProperties": part,
        "minProperties": 1,
    }


def _word(pattern: str) -> Schema:
    return {"type": "string", "pattern": f"^{pattern}$"}


def _words(pattern: str = WORD, least: int = 0) -> Schema:
    lists = {"type": "array", "items": _word(pattern), "uniqueItems": True}
    return {**lists, "minItems": least} if least else lists


def _number(most: float, least: float = 0) -> Schema:
    return {"type": "number", "minimum": least, "maximum": most}


def _whole(most: int, least: int = 0) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}
