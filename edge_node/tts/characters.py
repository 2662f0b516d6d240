"""Any Unicode text to the few characters that normalisation knows. Pure.

Digits of every script become 0-9, accents fall away, emoji and symbols become their names, letters
of other alphabets the names of those letters. What has no spoken name here (Chinese characters) is
reported, so that nothing is passed over in silence.
"""

import html
import re
import unicodedata
from functools import lru_cache
from typing import Final

_TAG: Final = re.compile(r"</?[A-Za-z][^<>]{0,300}>|<!--.{0,300}?-->", re.DOTALL)
_KEPT: Final = frozenset("€£¥\n")
_REPLACED: Final = {
    # ruff: noqa: RUF001 - that these look like others is why they are here
    "ß": "ss", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "þ": "th", "ð": "th", "ı": "i",
    "œ": "oe", "ŋ": "ng", "Æ": "Ae", "Ø": "O", "Ł": "L", "Đ": "D", "Þ": "Th", "Œ": "Oe",
    "‘": "'", "’": "'", "ʼ": "'", "“": '"', "”": '"', "«": '"', "»": '"', "„": '"',
    "–": "-", "—": " - ", "‐": "-", "−": "-", "…": "...", "⁄": "/", "·": " ", "•": ", ",
    "。": ". ", "、": ", ", "،": ", ", "؟": "? ", "؛": "; ", "।": ". ", "¿": " ", "¡": " ",
    "°": " degrees ", "×": " times ", "÷": " divided by ", "±": " plus or minus ",
    "\t": " ", "\r": "\n",
}  # fmt: skip
_SPACES: Final = {
    **dict.fromkeys(("Cf", "Mn", "Me", "Mc"), ""),
    **dict.fromkeys(("Cc", "Co", "Cn", "Cs", "Zs", "Sk", "Lm"), " "),
    **dict.fromkeys(("Zl", "Zp"), "\n"),
}
"""Unicode categories without a sound of their own: marks, controls, spaces."""
_NAMELESS: Final = re.compile(r"IDEOGRAPH|CUNEIFORM|HIEROGLYPH|ANATOLIAN|TANGUT|NUSHU|OBSOLETE")
_BEFORE_A_SOUND: Final = re.compile(r".*\b(?:LETTER|SYLLABLE|LIGATURE|SIGN)\b\s*(?:SMALL )?")


@lru_cache(maxsize=8192)
def spoken(char: str) -> str | None:
    """What stands for one character; None where it cannot be spoken in English."""
    if char in _REPLACED:
        return _REPLACED[char]
    if char in _KEPT or (char.isascii() and char.isprintable()):
        return char
    category = unicodedata.category(char)
    if category in _SPACES:
        return _SPACES[category]
    if category == "Nd":
        return str(unicodedata.decimal(char))
    return _unaccented(char) or _by_name(char, category)


def _unaccented(char: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFKD", char) if c.isascii())
    return bare if bare.isalnum() else ""


def _by_name(char: str, category: str) -> str | None:
    name = unicodedata.name(char, "")
    if category.startswith("P"):
        return " "
    if not name or _NAMELESS.search(name):
        return None
    if category.startswith("L"):
        name = _BEFORE_A_SOUND.sub("", name).split(" WITH ")[0]
    words = re.sub(r"[^A-Za-z0-9]+", " ", name).lower()
    return f" {words} " if words.strip() else None


def unspeakable(text: str) -> str | None:
    """The first character that `plain` would have to leave out, or None."""
    bare = _bare(text)
    strange = {char for char in set(bare) if spoken(char) is None}
    return next((char for char in bare if char in strange), None) if strange else None


def plain(text: str) -> str:
    """`text` without markup, in ASCII and the signs of three currencies."""
    return "".join(spoken(char) or "" for char in _bare(text))


def _bare(text: str) -> str:
    return unicodedata.normalize("NFKC", _TAG.sub(" ", html.unescape(text)))
