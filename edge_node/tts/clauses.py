"""Text to clauses, lazily: the first is short, so that its audio leaves before the last is made.

Pure. However long a text is, only one sentence of it is worked on at a time.
"""

import re
from collections.abc import Iterator
from typing import Final

from edge_node.tts.characters import plain, unspeakable
from edge_node.tts.normalise import normalise
from edge_node.tts.words import words_of
from shared.errors import NothingToSay, TooBig, Unsupported

LONGEST_TEXT_CHARACTERS: Final = 100_000
_LONGEST_PIECE_CHARACTERS: Final = 400
_LONGEST_WORD_CHARACTERS: Final = 60
_FIRST_CLAUSE_WORDS: Final = 12
_CLAUSE_WORDS: Final = 22
_FEWEST_WORDS: Final = 3
_SENTENCE: Final = re.compile(r"(?:[^\n.!?]|[.!?](?!\s|$))*(?:[.!?]+(?=\s|$)|\n|$)")
_ABBREVIATED: Final = re.compile(
    r"(?:^|\s)(?:mr|mrs|ms|dr|prof|st|no|vs|e\.g|i\.e|approx|dept|inc|jr|sr|[a-z]|"
    r"(?:[a-z]\.)+[a-z])\.$",
    re.IGNORECASE,
)
_BREAK: Final = re.compile(r"(?<=[,;:.?!])\s+")
_BEFORE: Final = frozenset(
    words_of(
        "and or but because so that which who when where while if for with from in on at to of by"
    )
)


def check_text(text: str) -> None:
    """Raises TooBig, Unsupported or NothingToSay where `text` cannot all be spoken."""
    if len(text) > LONGEST_TEXT_CHARACTERS:
        raise TooBig(
            f"text has {len(text)} characters, more than {LONGEST_TEXT_CHARACTERS}",
            field="text",
            value=len(text),
            remedy="send it in parts",
        )
    if (char := unspeakable(text)) is not None:
        raise Unsupported(
            f"text holds {char!r} (U+{ord(char):04X}), which no English voice can say",
            field="text",
            value=char,
            remedy="leave it out, or write it in Latin letters",
        )


def _capped(sentence: str) -> Iterator[str]:
    """Pieces of bounded length, cut at spaces where there are any."""
    sentence = re.sub(rf"(\S{{{_LONGEST_WORD_CHARACTERS}}})(?=\S)", r"\1 ", sentence)
    while len(sentence) > _LONGEST_PIECE_CHARACTERS:
        cut = sentence.rfind(" ", 1, _LONGEST_PIECE_CHARACTERS)
        yield sentence[:cut]
        sentence = sentence[cut:]
    yield sentence


def sentences(text: str) -> Iterator[str]:
    """Sentences as they are written, an abbreviation's stop not taken for an end."""
    held = ""
    for found in _SENTENCE.finditer(text):
        held += found[0] if not held else f" {found[0].lstrip()}"
        if len(held) < _LONGEST_PIECE_CHARACTERS and _ABBREVIATED.search(held):
            continue
        yield from _capped(held)
        held = ""
    yield from _capped(held)


def _cut(words: list[str], most: int) -> int:
    """Where to break too long a run: before a linking word in its later part, or at the end."""
    for index in range(most, most // 3, -1):
        if words[index].strip(",.?!;:") in _BEFORE:
            return index
    return most


def _short(run: str, most: int, later: int) -> Iterator[str]:
    words = run.split()
    while len(words) > most:
        at = _cut(words, most)
        yield " ".join(words[:at]) + ","
        words, most = words[at:], later
    if words:
        yield " ".join(words)


def _ended(clause: str, *, last: bool) -> str:
    """With a mark at its end that says how the voice falls."""
    if clause[-1] in ",;:":
        return clause[:-1] + ("." if last else ",")
    return clause if clause[-1] in ".?!" else clause + ("." if last else ",")


def _of_sentence(said: str, most: int) -> Iterator[str]:
    """Clauses of one normalised sentence; very short ones go with the next."""
    held, parts = "", _BREAK.split(said)
    for number, part in enumerate(parts):
        held = f"{held} {part}".strip()
        last = number == len(parts) - 1
        if not last and len(held.split()) < _FEWEST_WORDS:
            continue
        *before, end = _short(held, most, _CLAUSE_WORDS)
        yield from before
        yield _ended(end, last=last)
        held, most = "", _CLAUSE_WORDS


def clauses(text: str) -> Iterator[str]:
    """Normalised clauses in order, each with a word in it and a mark at its end.

    Raises:
        TooBig, Unsupported: before the first clause, where the text as a whole cannot be spoken.
        NothingToSay: where no word was found in all of it.
    """
    check_text(text)
    most, found = _FIRST_CLAUSE_WORDS, False
    for sentence in sentences(plain(text)):
        said = normalise(sentence)
        if not re.search("[A-Za-z]", said):
            continue
        for clause in _of_sentence(said, most):
            found = True
            yield clause
        most = _CLAUSE_WORDS
    if not found:
        raise NothingToSay(
            "text holds nothing that can be spoken",
            field="text",
            value=text[:40],
            remedy="send words, numbers or symbols",
        )
