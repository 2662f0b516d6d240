"""Texts in pieces that a node takes. Pure."""

import re

MOST_CHARACTERS = 5000
_ENDS = (re.compile(r"\n\s*\n"), re.compile(r"[.!?]\s"), re.compile(r"[,;:]\s"), re.compile(r"\s"))


def pieces(text: str, most: int = MOST_CHARACTERS) -> list[str]:
    """The text in pieces of at most `most` characters, cut where a speaker would pause."""
    found = []
    rest = text.strip()
    while rest:
        cut = len(rest) if len(rest) <= most else _cut(rest, most)
        found.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    return found


def _cut(text: str, most: int) -> int:
    """After the last paragraph, sentence, clause or word that fits; else anywhere."""
    for end in _ENDS:
        cuts = [match.end() for match in end.finditer(text, 0, most)]
        if cuts:
            return cuts[-1]
    return most
