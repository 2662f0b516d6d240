"""The symbols that voices know, and how ARPAbet's stress marks become them. Pure.

A vowel carries its stress: 1 where it is stressed, 0 where not, as both teachers mark it.
"""

from collections.abc import Sequence
from typing import Final

from edge_node.tts.words import words_of

VOWELS: Final = words_of("""aa ae ah ao aw ax ay eh er ey ih iy ow oy uh uw""")
CONSONANTS: Final = words_of("""b ch d dh f g hh jh k l m n ng p r s sh t th v w y z zh""")

PAUSES: Final = ("^", ",", ".", "?")
"""Silence: before the first phone, inside or after a clause, at a sentence's end."""

STRESSED_VOWELS: Final = tuple(f"{vowel}{stress}" for vowel in VOWELS for stress in "01")
PHONES: Final = (*STRESSED_VOWELS, *CONSONANTS)

SYMBOLS: Final = ("_", *PAUSES, *PHONES)
"""In the order of their ids in every voice's file; "_" is padding."""

IDS: Final = {symbol: index for index, symbol in enumerate(SYMBOLS)}

_CODES: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
CODE_OF: Final = dict(zip(PHONES, _CODES, strict=False))
"""One character a phone: how the data files store pronunciations."""

_PHONE_OF: Final = {code: phone for phone, code in CODE_OF.items()}


def from_arpabet(name: str) -> str:
    """`AH0` to `ax0`, `IY2` to `iy1`, `HH` to `hh`. Raises KeyError where it is no phone."""
    if not name[-1].isdigit():
        phone = name.lower()
    else:
        vowel, stressed = name[:-1].lower(), name[-1] != "0"
        phone = "ax0" if vowel == "ah" and not stressed else f"{vowel}{int(stressed)}"
    if phone not in CODE_OF:
        raise KeyError(name)
    return phone


def encode(phones: Sequence[str]) -> str:
    """Phones as a string of codes."""
    return "".join(CODE_OF[phone] for phone in phones)


def decode(codes: str) -> tuple[str, ...]:
    """The reverse of `encode`."""
    return tuple(_PHONE_OF[code] for code in codes)
