"""A sentence as it is written to the words that are spoken. Pure.

In the result words are lower case, a capital letter by itself is said by its name, and of all
punctuation `, . ? ! ; :` remain.
"""

import re
from collections.abc import Callable
from re import Match
from typing import Final

from edge_node.tts import numerals

_UNITS: Final = {"$": ("dollar", "cent"), "£": ("pound", "penny"), "€": ("euro", "cent"),
                 "¥": ("yen", "sen")}  # fmt: skip
_PLURALS: Final = {"penny": "pence", "yen": "yen", "sen": "sen"}
_SCALES: Final = {"k": "thousand", "m": "million", "b": "billion", "bn": "billion"}
_ABBREVIATIONS: Final = {
    "mr": "mister", "mrs": "missus", "ms": "miz", "dr": "doctor", "prof": "professor",
    "st": "saint", "ave": "avenue", "rd": "road", "blvd": "boulevard", "apt": "apartment",
    "dept": "department", "ext": "extension", "etc": "et cetera", "vs": "versus",
    "approx": "approximately", "inc": "incorporated", "ltd": "limited", "co": "company",
    "jr": "junior", "sr": "senior", "min": "minutes", "hr": "hour", "hrs": "hours",
    "tel": "telephone", "no": "number", "jan": "january", "feb": "february", "mar": "march",
    "apr": "april", "jun": "june", "jul": "july", "aug": "august", "sep": "september",
    "sept": "september", "oct": "october", "nov": "november", "dec": "december",
}  # fmt: skip
_MEASURES: Final = {
    "km": "kilometers", "cm": "centimeters", "mm": "millimeters", "kg": "kilograms",
    "mg": "milligrams", "lb": "pounds", "lbs": "pounds", "oz": "ounces", "ft": "feet",
    "mb": "megabytes", "gb": "gigabytes", "kb": "kilobytes", "hz": "hertz", "khz": "kilohertz",
    "ms": "milliseconds", "mph": "miles per hour",
}  # fmt: skip
_SYMBOLS: Final = {
    "&": "and", "+": "plus", "=": "equals", "#": "number", "@": "at", "%": "percent",
    "<": "less than", ">": "greater than", "€": "euros", "£": "pounds", "¥": "yen",
    "$": "dollars", "/": "slash", "\\": "backslash",
}  # fmt: skip
_YEAR_FOLLOWS: Final = (
    r"(?:in|since|year|by|of|until|before|after|"
    r"january|february|march|april|may|june|july|august|september|october|november|december)"
)


def _spelled(text: str) -> str:
    """A code: each digit and each letter by its name."""
    names = (numerals.digits(char) if char.isdigit() else char.upper() for char in text)
    return " ".join(names)


def _code(found: Match[str]) -> str:
    parts = re.findall(r"[A-Za-z]+|\d+", found[0])
    said = (p if p.isalpha() and p.islower() and len(p) > 3 else _spelled(p) for p in parts)
    return f" {' '.join(said)} "


def _address(found: Match[str]) -> str:
    bare = re.sub(r"^[a-z]+://", "", found[0], flags=re.IGNORECASE)
    end = "." if bare.endswith(".") else ""
    named = bare.rstrip(".").replace(".", " dot ").replace("@", " at ").replace("/", " slash ")
    return f" {re.sub('[-_]', ' ', named)} {end}"


def _unit(name: str, count: str) -> str:
    return name if count.replace(",", "").lstrip("0") == "1" else _PLURALS.get(name, f"{name}s")


def _money(found: Match[str]) -> str:
    unit, cent = _UNITS[found["sign"]]
    whole, fraction, scale = found["whole"], found["fraction"], found["scale"]
    if scale:
        said = numerals.decimal(whole, fraction) if fraction else numerals.cardinal(whole)
        return f"{said} {_SCALES.get(scale.lower(), scale.lower())} {_unit(unit, 'many')} "
    said = f"{numerals.cardinal(whole)} {_unit(unit, whole)}"
    if not fraction or not fraction.strip("0"):
        return f"{said} "
    if len(fraction) > 2:
        return f"{numerals.decimal(whole, fraction)} {_unit(unit, 'many')} "
    cents = fraction.ljust(2, "0").lstrip("0")
    return f"{said} and {numerals.cardinal(cents)} {_unit(cent, cents)} "


def _iso_date(found: Match[str]) -> str:
    return _date_or(found, int(found[2]), found[3], found[1])


def _us_date(found: Match[str]) -> str:
    return _date_or(found, int(found[1]), found[2], found[3])


def _date_or(found: Match[str], month: int, day: str, year: str) -> str:
    """A date, or the numbers where there is no such day."""
    if not (1 <= month <= 12 and 1 <= int(day) <= 31):
        return f" {numerals.digits(found[0])} "
    return numerals.date(month, day, year)


def _time(found: Match[str]) -> str:
    hour, minute, half = found[1], found[2], found[3]
    if int(hour) > 24 or int(minute) > 59:
        return f"{numerals.cardinal(hour)} {numerals.cardinal(minute)}"
    end = f" {half.upper()} M" if half else ("" if minute != "00" else " o'clock")
    return numerals.clock(hour, minute) + end


def _hour(found: Match[str]) -> str:
    return f"{numerals.cardinal(found[1])} {found[2].upper()} M"


def _month_and_day(found: Match[str]) -> str:
    year = f", {numerals.year(found[3])}" if found[3] else ""
    return f"{found[1]} {numerals.ordinal(found[2])}{year}"


def _telephone(found: Match[str]) -> str:
    groups = [numerals.digits(group) for group in re.findall(r"\d+", found[0])]
    return ("plus " if found[0].startswith("+") else "") + ", ".join(groups)


def _fraction(found: Match[str]) -> str:
    over, under = found[1], found[2]
    names = {"2": "half", "3": "third", "4": "quarter"}
    if under not in names or not 0 < int(over) < 10:
        return f"{numerals.cardinal(over)} over {numerals.cardinal(under)}"
    return f"{numerals.cardinal(over)} {names[under]}{'s' if over != '1' else ''}"


def _number(found: Match[str]) -> str:
    sign, whole, fraction = found["sign"], found["whole"], found["fraction"]
    minus = "minus " if sign else ""
    if fraction:
        return f" {minus}{numerals.decimal(whole, fraction)} "
    if "," not in whole and len(whole) > 6:
        return f" {minus}{numerals.digits(whole)} "
    return f" {minus}{numerals.cardinal(whole)} "


def _abbreviation(found: Match[str]) -> str:
    return f"{_ABBREVIATIONS[found[1].lower()]} "


def _capitals(found: Match[str]) -> str:
    return f" {_spelled(found[0])} "


Rule = tuple[re.Pattern[str], str | Callable[[Match[str]], str]]


def _rule(pattern: str, becomes: str | Callable[[Match[str]], str]) -> Rule:
    return re.compile(pattern, re.IGNORECASE), becomes


_GROUPED: Final = r"\d{1,3}(?:,\d{3})+(?!\d)|\d+"
_RULES: Final[tuple[Rule, ...]] = (
    _rule(r"\b(?:https?://|www\.)[^\s<>\"]{1,300}", _address),
    _rule(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", _address),
    _rule(r"\b[a-z][a-z0-9-]{1,62}\.(?:com|org|net|io|co\.uk|eu|de|info)\b", _address),
    _rule(r"\b(\d{4})-(\d{2})-(\d{2})\b", _iso_date),
    _rule(r"\b(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})\b", _us_date),
    _rule(r"\b(\d{1,2}):(\d{2})(?::\d{2})?(?:\s?([ap])\.?\s?m\b\.?)?", _time),
    _rule(r"\b(\d{1,2})\s?([ap])\.?m\b\.?", _hour),
    _rule(
        rf"(?P<sign>[$£€¥])\s?(?P<whole>{_GROUPED})(?:\.(?P<fraction>\d+))?"
        r"(?:\s?(?P<scale>thousand|million|billion|trillion|k|m|bn|b)\b)?",
        _money,
    ),
    _rule(
        rf"(?P<whole>{_GROUPED})(?:\.(?P<fraction>\d{{1,2}}))?\s?(?P<sign>[€£¥])(?P<scale>)", _money
    ),
    _rule(r"(?<![\w.])\+?\(?\d{1,4}\)?(?:[ -]\(?\d{2,4}\)?){1,4}[ -]\d{3,4}\b", _telephone),
    _rule(r"\b\d{3}-\d{4}\b", _telephone),
    _rule(r"\b(\d+)(?:st|nd|rd|th)\b", lambda m: numerals.ordinal(m[1])),
    _rule(rf"\b({_YEAR_FOLLOWS},?\s+)(1[1-9]\d\d|20\d\d)\b(?![.,]\d)",
          lambda m: f"{m[1]}{numerals.year(m[2])}"),
    _rule(rf"\b({'|'.join(numerals.MONTHS)})\s+(\d{{1,2}})(?:,?\s+(\d{{4}}))?\b",
          _month_and_day),
    _rule(r"\b(\d)/(\d{1,2})\b", _fraction),
    _rule(rf"(?<=\d)\s?({'|'.join(_MEASURES)})\b", lambda m: f" {_MEASURES[m[1].lower()]} "),
    _rule(r"\bdegrees c\b", "degrees celsius"),
    _rule(r"\bdegrees f\b", "degrees fahrenheit"),
    _rule(r"\b(?=[\w-]*\d)(?=[\w-]*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*\b", _code),
    _rule(r"(?<=\d)\s?-\s?(?=\d)", " to "),
    _rule(rf"(?P<sign>(?<![\w-])-)?(?P<whole>{_GROUPED})(?:\.(?P<fraction>\d+))?", _number),
    _rule(r"\bno\.(?=\s+(?:zero|one|two|three|four|five|six|seven|eight|nine))", "number"),
    _rule(rf"\b({'|'.join(sorted(set(_ABBREVIATIONS) - {'no', 'co', 'min', 'mar'}))})\.(?=\s|$|,)",
          _abbreviation),
    _rule(r"\be\.g\.", "for example"),
    _rule(r"\bi\.e\.", "that is"),
    (re.compile(r"\b(?:[A-Za-z]\.){2,}"), lambda m: f" {_spelled(m[0].replace('.', ''))} "),
    (re.compile(r"\b(?:[B-HJ-Z](?![a-z'])|[AEIOU]*[B-DF-HJ-NP-TV-XZ]{2,5})\b"), _capitals),
)  # fmt: skip
_LAST: Final[tuple[Rule, ...]] = (
    _rule(r"\s-+\s", ", "),
    _rule(r"[()\[\]{}]+", ", "),
    _rule(r"[^A-Za-z',.?!;:]+", " "),
    _rule(r"(?<![a-z])'+|'+(?![a-z])", " "),
    _rule(r"\s+(?=[,.?!;:])", ""),
    _rule(r"[,;:]+(?=[.?!])", ""),
    _rule(r"([,.?!;:])[,.?!;:]+", r"\1"),
    _rule(r"([,.?!;:])(?=[a-z])", r"\1 "),
    _rule(r"\s+", " "),
    _rule(r"^[\s,.?!;:]+", ""),
)


def _shouted(text: str) -> bool:
    """Whether all of a longer text is in capitals: then capitals say nothing about spelling."""
    return text.isupper() and len(re.findall(r"[A-Z]{2,}", text)) > 2


def _lowered(found: Match[str]) -> str:
    return found[0] if len(found[0]) == 1 and found[0] not in "AI" else found[0].lower()


def normalise(text: str) -> str:
    """Words and punctuation of one sentence; empty where nothing of it can be spoken."""
    text = text.lower() if _shouted(text) else text
    for pattern, becomes in _RULES:
        text = pattern.sub(becomes, text)
    for sign, name in _SYMBOLS.items():
        text = text.replace(sign, f" {name} ")
    for pattern, becomes in _LAST:
        text = pattern.sub(becomes, text)
    return text.strip()
