"""Normalised words to the symbols that a voice says. Pure, given the dictionary and the rules.

No word is dropped: the dictionary, then its possessive, then learned letter rules, and at last
letter by letter.
"""

import re
from typing import Final, Protocol

LETTER_NAMES: Final = {
    "a": "ey1", "b": "b iy1", "c": "s iy1", "d": "d iy1", "e": "iy1", "f": "eh1 f", "g": "jh iy1",
    "h": "ey1 ch", "i": "ay1", "j": "jh ey1", "k": "k ey1", "l": "eh1 l", "m": "eh1 m",
    "n": "eh1 n", "o": "ow1", "p": "p iy1", "q": "k y uw1", "r": "aa1 r", "s": "eh1 s",
    "t": "t iy1", "u": "y uw1", "v": "v iy1", "w": "d ah1 b ax0 l y uw0", "x": "eh1 k s",
    "y": "w ay1", "z": "z iy1",
}  # fmt: skip
_AS_TEACHERS_SAY: Final = {
    "a": "ax0", "and": "ae1 n d", "to": "t ax0", "into": "ih0 n t uw1", "her": "hh er0",
    "here": "hh ih1 r", "were": "w er0", "address": "ax0 d r eh1 s", "the": "dh ax0",
    "thirty": "th er1 d iy0", "company": "k ah1 m p ax0 n iy0", "thursday": "th er1 z d iy0",
    "transfer": "t r ae1 n s f er0", "miz": "m ih1 z", "o'clock": "ax0 k l aa1 k",
    "imagine": "ih0 m ae1 jh ax0 n", "february": "f eh1 b y ax0 w eh1 r iy0",
}  # fmt: skip
_VOWEL: Final = re.compile(r"[aeiouy]")
_ITEM: Final = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*|[,.?!;:]")
_PAUSE: Final = {"?": "?", ".": ".", "!": "."}
_HISSING: Final = frozenset({"s", "z", "sh", "zh", "ch", "jh"})
_VOICELESS: Final = frozenset({"p", "t", "k", "f", "th"})


class Words(Protocol):
    """Known words."""

    def get(self, word: str) -> tuple[str, ...] | None:
        """The phones of a word, or None."""


class Rules(Protocol):
    """A guess at any word."""

    def phones(self, word: str) -> tuple[str, ...]:
        """The likeliest phones."""


def _possessive(stem: tuple[str, ...]) -> tuple[str, ...]:
    if stem[-1] in _HISSING:
        return (*stem, "ih0", "z")
    return (*stem, "s" if stem[-1] in _VOICELESS else "z")


def _spelled(word: str) -> tuple[str, ...]:
    return tuple(phone for char in word if char in LETTER_NAMES
                 for phone in LETTER_NAMES[char].split())  # fmt: skip


def _stressed(phones: tuple[str, ...]) -> tuple[str, ...]:
    """With one vowel stressed, where the rules stressed none."""
    if any(phone.endswith("1") for phone in phones):
        return phones
    first = next((i for i, p in enumerate(phones) if p.endswith("0") and p != "ax0"), None)
    if first is None:
        return phones
    return (*phones[:first], f"{phones[first][:-1]}1", *phones[first + 1 :])


class Pronouncer:
    """Text to symbols."""

    def __init__(self, words: Words, rules: Rules) -> None:
        self._words, self._rules = words, rules

    def word(self, word: str) -> tuple[str, ...]:
        """At least one phone for a word of letters and apostrophes that holds a letter."""
        if len(word) == 1 and word.isupper():
            return _spelled(word.lower())
        word = word.lower()
        if word in _AS_TEACHERS_SAY:
            return tuple(_AS_TEACHERS_SAY[word].split())
        if (known := self._words.get(word)) is not None:
            return known
        if word.endswith("'s") and len(word) > 2:
            return _possessive(self.word(word[:-2]))
        bare = word.replace("'", "")
        guess = self._rules.phones(bare) if _VOWEL.search(bare) else ()
        return _stressed(guess) if any(p[-1] in "01" for p in guess) else _spelled(bare)

    def symbols(self, clause: str) -> tuple[str, ...]:
        """A normalised clause as symbols, from "^" to a pause; only pauses where it has no word."""
        items = _ITEM.findall(clause)
        said: list[str] = ["^"]
        for index, item in enumerate(items):
            if not item[0].isalpha():
                if said[-1] not in {"^", ",", ".", "?"}:
                    said.append(_PAUSE.get(item, ","))
                continue
            said.extend(self.word(_letter(items, index)))
        if said[-1] not in {",", ".", "?"}:
            said.append(",")
        return tuple(said)


def _letter(items: list[str], index: int) -> str:
    """The item; a lone "a" among single letters is the letter, not the article."""
    item = items[index]
    if item.lower() != "a":
        return item.upper() if len(item) == 1 else item
    near = items[max(0, index - 1) : index] + items[index + 1 : index + 2]
    spelling = any(len(t) == 1 and t.isalpha() and t.lower() != "i" for t in near)
    return "A" if spelling or (item == "A" and index) else "a"
