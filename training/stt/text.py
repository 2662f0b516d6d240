"""Sentences to train and to evaluate on, from the grammars that we wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from heliovox.local import phrases
from training.stt import callcentre
from training.stt.splits import SHARED_WORDS, Split, text_split

if TYPE_CHECKING:
    import random

Domain = Literal["telephone", "callcentre", "spelling", "isolated", "digit", "words"]

LONGEST_CHARACTERS: Final = 90
VOCABULARY: Final = tuple(sorted(word for word in callcentre.vocabulary() if len(word) > 1))
KEYWORDS: Final = phrases.words_of("yes no go stop help enter erase rubout repeat start")
NAMES: Final = (
    *callcentre.FIRST_NAMES,
    *callcentre.LAST_NAMES,
    *(word for city in callcentre.CITIES for word in city.split()),
    *callcentre.STREETS,
    *phrases.MONTHS,
)


def _digit(rng: random.Random) -> str:
    digit = rng.choice(phrases.DIGITS)
    return "oh" if digit == "zero" and rng.random() < 0.6 else digit


def _digits(rng: random.Random, shortest: int, longest: int) -> str:
    return " ".join(_digit(rng) for _ in range(rng.randint(shortest, longest)))


def _tens(rng: random.Random) -> str:
    return phrases.below_hundred(rng.randint(10, 99))


def _short_number(rng: random.Random) -> str:
    forms = (
        _digits(rng, 1, 2),
        _tens(rng),
        f"{_tens(rng)} {_tens(rng)}",
        f"{_digit(rng)} {_tens(rng)}",
        _digits(rng, 3, 5),
        phrases.number_words(rng.choice((rng.randrange(1000), 100 * rng.randrange(1, 90)))),
    )
    return rng.choice(forms)


def _spelled(rng: random.Random) -> str:
    """A name, two halves of names, or letters at random: never one word only learnt by heart."""
    kind = rng.random()
    if kind < 0.4:
        return " ".join(rng.choice(NAMES))
    if kind < 0.7:
        first, second = rng.choice(NAMES), rng.choice(NAMES)
        return " ".join(first[: rng.randint(1, 4)] + second[-rng.randint(1, 4) :])
    return " ".join(rng.choices(phrases.LETTERS, k=rng.randint(2, 8)))


def _coded(rng: random.Random) -> str:
    keyword = f"{rng.choice(('rubout', 'erase', 'enter', 'repeat'))} " * (rng.random() < 0.75)
    letters = " ".join(rng.choices(phrases.LETTERS, k=rng.randint(2, 5)))
    return f"{keyword}{letters} {_short_number(rng)}"


def _birthday(rng: random.Random) -> str:
    month = rng.choice(phrases.MONTHS)
    day = rng.choice((rng.choice(phrases.ORDINALS), phrases.below_hundred(rng.randint(1, 31))))
    return f"{month} {day} nineteen {phrases.below_hundred(rng.randint(10, 99))}"


def spelling(rng: random.Random) -> str:
    """Spelled names, codes, digit strings, birthdays, numbers, addresses."""
    kind = rng.random()
    if kind < 0.32:
        return _spelled(rng)
    if kind < 0.56:
        return _coded(rng)
    if kind < 0.66:
        return f"{rng.choice(('enter ', 'erase ', 'rubout ', '', ''))}{_short_number(rng)}"
    if kind < 0.82:
        return _digits(rng, *rng.choice(((7, 7), (5, 5), (2, 8), (10, 10))))
    if kind < 0.93:
        return _birthday(rng)
    return f"{_short_number(rng)} {rng.choice(callcentre.STREETS)} {rng.choice(('', 'street'))}"


def isolated(rng: random.Random) -> str:
    """One to three words alone, mostly digits: the hardest to hear, having no neighbours."""
    kind = rng.random()
    if kind < 0.45:
        return " ".join(rng.choices(phrases.DIGITS, k=rng.choice((1, 1, 1, 2, 3))))
    if kind < 0.6:
        return " ".join(rng.choices(phrases.LETTERS, k=rng.choice((1, 2))))
    if kind < 0.75:
        return rng.choice(KEYWORDS)
    if kind < 0.95:
        return rng.choice(phrases.COMMANDS)
    return rng.choice((*phrases.DAYS, *phrases.MONTHS, *NAMES))


def digit(rng: random.Random) -> str:
    """One digit, now and then two, or what it is easily taken for: "a" for "eight", "i", "x"."""
    if rng.random() < 0.12:
        return rng.choice((*phrases.LETTERS, "yes", "no", "oh"))
    return " ".join(rng.choices(phrases.DIGITS, k=rng.choice((1, 1, 1, 1, 2))))


def words(rng: random.Random) -> str:
    """Words of every list in no order: rare ones as often as others, and none to be guessed."""
    return " ".join(rng.choices(VOCABULARY, k=rng.randint(1, 6)))


def telephone(rng: random.Random) -> str:
    """The grammar that `heliovox demo` speaks."""
    return phrases.sentence(rng)


def draw(rng: random.Random, domain: Domain, split: Split) -> str:
    """A text of this domain and split. What is kept for evaluation has more than three words."""
    while True:
        text = " ".join(_draw(rng, domain).split())
        count = len(text.split())
        if len(text) > LONGEST_CHARACTERS or (split == "eval" and count <= SHARED_WORDS):
            continue
        if text_split(text) == split:
            return text


def _draw(rng: random.Random, domain: Domain) -> str:
    match domain:
        case "telephone":
            return telephone(rng)
        case "callcentre":
            return callcentre.sentence(rng)
        case "spelling":
            return spelling(rng)
        case "isolated":
            return isolated(rng)
        case "digit":
            return digit(rng)
        case "words":
            return words(rng)


def spoken(text: str, letter_a: str) -> str:
    """The text as an engine must read it: a letter "a" becomes `letter_a`, the article stays.

    An "a" is a letter where it stands alone or beside another single letter.
    """
    said = text.split()

    def is_letter(i: int) -> bool:
        around = said[max(0, i - 1) : i] + said[i + 1 : i + 2]
        return not around or any(len(word) == 1 for word in around)

    return " ".join(
        letter_a if word == "a" and is_letter(i) else word for i, word in enumerate(said)
    )
