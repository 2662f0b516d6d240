"""Kinds of words that stand in a world: names, codes, dates. What is none is refused."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

import msgspec

from shared.countries import country_places
from shared.policy.moments import milliseconds
from shared.regions.model import WORD, Period
from shared.regions.problems import shown
from shared.regions.reading import Item, Path, Reader

TENANT = r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}"
"""As keys name them."""
LANGUAGE = r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,7}"
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
MOMENT = DATE + r"([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2}))?"
_MOMENT = re.compile(MOMENT)


def keys_of(struct: type[msgspec.Struct]) -> tuple[str, ...]:
    """What may stand in a section: the struct's fields; its name is the key above."""
    keys: list[str] = []
    for name in struct.__struct_fields__:
        if name == "period":
            keys += ["from", "until"]
        elif name != "name":
            keys.append(name)
    return tuple(keys)


def given(fields: dict[str, Any]) -> dict[str, Any]:
    """Those that stand in the file; the others take the struct's defaults."""
    return {name: value for name, value in fields.items() if value is not None}


def check_name(read: Reader, name: str, path: Path, what: str) -> None:
    """Refuses what cannot be the name of a part."""
    if not re.fullmatch(WORD, name):
        read.refuse(path, f"cannot be the name of {what}", "use a-z, 0-9 and -, 63 at most")


def is_country(word: str) -> bool:
    """Whether it is an ISO 3166 code as files have it: two letters in lower case."""
    return word.isascii() and word == word.lower() and word.upper() in country_places()


def country(read: Reader, item: Item | None, what: str = "jurisdiction") -> str | None:
    """An ISO 3166 code in lower case."""
    word = read.word(item)
    if item is None or word is None:
        return None
    if not is_country(word):
        remedy = "use an ISO 3166 code of two letters in lower case, such as de"
        read.refuse(item.path, f"{shown(word)} is no {what}", remedy)
        return None
    return word


def matching(read: Reader, item: Item | None, pattern: str, what: str, remedy: str) -> str | None:
    """A word of a kind of its own."""
    word = read.word(item)
    if item is None or word is None:
        return None
    if not re.fullmatch(pattern, word):
        read.refuse(item.path, f"{shown(word)} is no {what}", remedy)
        return None
    return word


def certification(read: Reader, item: Item | None) -> str | None:
    """What a region may be certified for."""
    return matching(read, item, WORD, "certification", "use a-z, 0-9 and -, such as iso27001")


def one_of(read: Reader, item: Item | None, choice: object) -> str | None:
    """One word of a Literal."""
    word = read.word(item)
    if item is None or word is None:
        return None
    known = get_args(choice)
    if word not in known:
        read.refuse(item.path, f"{shown(word)} is not understood", f"use {' or '.join(known)}")
        return None
    return word


def yes_or_no(read: Reader, item: Item | None) -> bool | None:
    """`true` or `false`, without quotes."""
    word = one_of(read, item, Literal["true", "false"])
    return None if word is None else word == "true"


def listed(
    read: Reader, item: Item | None, one: Callable[[Reader, Item | None], str | None]
) -> tuple[frozenset[str], bool]:
    """A list of words of one kind, and whether all could be read."""
    before = len(read.problems)
    found = [one(read, member) for member in read.words(item)]
    return frozenset(filter(None, found)), len(read.problems) == before


def period(read: Reader, entries: dict[str, Item]) -> Period:
    """What `from` and `until` say; a part that could not be read is left open."""
    begins, ends = _moment(read, entries.get("from")), _moment(read, entries.get("until"))
    if begins is not None and ends is not None and ends <= begins:
        remedy = "write a later moment: the period goes up to it, without it"
        read.refuse(entries["until"].path, "is not later than from: it would never hold", remedy)
        return Period()
    return Period(begins, ends)


def _moment(read: Reader, item: Item | None) -> int | None:
    word = read.word(item)
    if item is None or word is None:
        return None
    remedy = "use a date such as 2026-01-31 (from 00:00 UTC), or 2026-01-31T09:00:00+01:00"
    try:
        return moment_of(word)
    except ValueError as error:
        read.refuse(item.path, f"{shown(word)} {error}", remedy)
        return None


def moment_of(word: str) -> int:
    """A moment as files have it, in milliseconds since 1970. Raises ValueError that says why."""
    if not _MOMENT.fullmatch(word):
        raise ValueError("is no date, or has no offset from UTC")
    try:
        return milliseconds(_with_zone(word))
    except (ValueError, OverflowError) as error:
        raise ValueError("is on no calendar") from error


def _with_zone(word: str) -> datetime:
    if len(word) == len("2026-01-31"):
        word += "T00:00:00Z"
    at = datetime.fromisoformat(word.upper())
    if abs(at.utcoffset() or timedelta()) >= timedelta(hours=24):
        raise ValueError(word)
    return at
