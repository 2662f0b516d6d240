"""Loads the pronunciations that ship with the package."""

from functools import cache
from importlib import resources

from edge_node.tts.dictionary import Dictionary, LetterRules, SortedLines
from edge_node.tts.pronounce import Pronouncer


def _lines(name: str) -> SortedLines:
    return SortedLines.unpack((resources.files("edge_node.tts") / "data" / name).read_bytes(), name)


@cache
def english() -> Pronouncer:
    """How English is pronounced. Raises ModelRefused where a data file is damaged."""
    return Pronouncer(
        Dictionary(_lines("english.words.xz")), LetterRules(_lines("english.rules.xz"))
    )
