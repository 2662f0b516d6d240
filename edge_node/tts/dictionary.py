"""Pronunciations in a sorted block of text, found by halving: loads at once, takes few bytes."""

import lzma
from typing import Final

from edge_node.tts.phones import decode
from shared.errors import ModelRefused

_REMEDY: Final = "install the package again, or make the file with training/tts/letters.py"


class SortedLines:
    """Lines `key<TAB>value` in the order of their bytes."""

    def __init__(self, block: bytes) -> None:
        self._block = block

    @classmethod
    def unpack(cls, packed: bytes, name: str) -> "SortedLines":
        """Raises ModelRefused where `packed`, the file called `name`, is no such block."""
        try:
            block = lzma.decompress(packed)
        except lzma.LZMAError as error:
            raise ModelRefused(
                f"{name} cannot be unpacked: {error}", field="file", value=name, remedy=_REMEDY
            ) from error
        if b"\t" not in block or not block.endswith(b"\n"):
            raise ModelRefused(
                f"{name} is cut off or of another format", field="file", value=name, remedy=_REMEDY
            )
        return cls(block)

    def get(self, key: str) -> str | None:
        """The value at `key`."""
        block, wanted = self._block, key.encode()
        low, high = 0, len(block)
        while low < high:
            start = block.rfind(b"\n", 0, (low + high) // 2) + 1
            end = block.find(b"\n", start)
            found, _, value = block[start:end].partition(b"\t")
            if found == wanted:
                return value.decode()
            if found < wanted:
                low = end + 1
            else:
                high = start
        return None


class Dictionary:
    """Words and how they are said."""

    def __init__(self, lines: SortedLines) -> None:
        self._lines = lines

    def get(self, word: str) -> tuple[str, ...] | None:
        """The phones of a lower case word, or None."""
        codes = self._lines.get(word)
        return None if codes is None else decode(codes)


def rule_key(spelled: str, i: int, left: int, right: int, said: str) -> str:
    """The key of the rule for letter `i` between so many neighbours; `said` is what came before."""
    key = f"{spelled[i - left : i]}({spelled[i]}){spelled[i + 1 : i + 1 + right]}"
    return f"{key}|{said}" if left else key


class LetterRules:
    """What letters sound like between given neighbours: for words in no dictionary."""

    _REACH: Final = ((4, 4), (3, 4), (3, 3), (2, 3), (2, 2), (1, 2), (1, 1), (0, 1), (0, 0))

    def __init__(self, lines: SortedLines) -> None:
        self._lines = lines

    def phones(self, word: str) -> tuple[str, ...]:
        """The likeliest phones of `word`; empty where no rule fits."""
        spelled, codes = f"####{word}####", [""]
        for i in range(4, len(word) + 4):
            codes.append(self._at(spelled, i, codes[-1]))
        return decode("".join(codes))

    def _at(self, spelled: str, i: int, said: str) -> str:
        for left, right in self._REACH:
            if (codes := self._lines.get(rule_key(spelled, i, left, right, said))) is not None:
                return codes
        return ""
