"""Numbers in words, American English, without hyphens and commas. Pure."""

import re
from functools import lru_cache
from typing import Final

from num2words import num2words

from edge_node.tts.words import words_of

DIGITS: Final = words_of("""zero one two three four five six seven eight nine""")
MONTHS: Final = words_of(
    """january february march april may june july august september october november december"""
)
_LONGEST_CARDINAL: Final = 15  # digits; anything longer is read digit by digit


@lru_cache(maxsize=4096)
def _words(n: int, to: str) -> str:
    said = str(num2words(n, to=to))
    return " ".join(re.sub(r"[,-]", " ", said).replace(" and ", " ").split())


def digits(text: str) -> str:
    """Each digit of `text` by itself."""
    return " ".join(DIGITS[int(char)] for char in text if char.isdigit())


def cardinal(text: str) -> str:
    """`1,234` as a quantity; one with a leading zero, or endless, digit by digit."""
    bare = text.replace(",", "")
    if len(bare) > _LONGEST_CARDINAL or (len(bare) > 1 and bare[0] == "0"):
        return digits(bare)
    return _words(int(bare), "cardinal")


def ordinal(text: str) -> str:
    """`21` as twenty first."""
    if len(text) > _LONGEST_CARDINAL:
        return digits(text)
    return _words(int(text), "ordinal")


def decimal(whole: str, fraction: str) -> str:
    """`3` and `14` as three point one four."""
    return f"{cardinal(whole)} point {digits(fraction)}"


def year(text: str) -> str:
    """`1987` in two halves, `2005` whole."""
    high, low = int(text[:2]), int(text[2:])
    if low == 0 and high % 10:
        return f"{cardinal(str(high))} hundred"
    if low < 10 and high % 10 == 0:
        return cardinal(text)
    return f"{cardinal(str(high))} {f'oh {DIGITS[low]}' if low < 10 else cardinal(str(low))}"


def clock(hour: str, minute: str) -> str:
    """`10` and `05` as ten oh five; a full hour without its minutes."""
    if minute == "00":
        return cardinal(str(int(hour)))
    said = f"oh {DIGITS[int(minute)]}" if minute[0] == "0" else cardinal(minute)
    return f"{cardinal(str(int(hour)))} {said}"


def date(month: int, day: str, in_year: str) -> str:
    """Month, day and year as may twelfth, twenty twenty four."""
    long = in_year if len(in_year) == 4 else f"20{in_year}"
    return f"{MONTHS[month - 1]} {ordinal(str(int(day)))}, {year(long)}"
