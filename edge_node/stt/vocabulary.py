"""tokens.txt: a symbol and its number on each line."""

from dataclasses import dataclass

from shared.errors import ModelRefused

BLANK = "<blk>"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Symbols by their numbers."""

    symbols: tuple[str, ...]

    @property
    def blank(self) -> int:
        """The number of CTC's blank."""
        return self.symbols.index(BLANK)


def read_vocabulary(text: str, size: int | None = None) -> Vocabulary:
    """The symbols of a tokens.txt.

    Args:
        text: the file's contents.
        size: how many symbols the model scores; None where that is not known.

    Raises:
        ModelRefused: a line without a number, a number twice or missing, no blank, another size.
    """
    numbered: dict[int, str] = {}
    for line_number, line in enumerate(text.rstrip().split("\n"), 1):
        *symbol, number = line.rsplit(maxsplit=1) or [""]
        if not number.isdecimal() or int(number) in numbered:
            raise _refused(f"line {line_number} is no symbol with a number of its own")
        numbered[int(number)] = symbol[0] if symbol else " "
    if sorted(numbered) != list(range(len(numbered))):
        raise _refused(f"its {len(numbered)} numbers do not run from 0 without a gap")
    if BLANK not in numbered.values():
        raise _refused(f"it has no {BLANK}")
    if size is not None and len(numbered) != size:
        raise _refused(f"it has {len(numbered)} symbols, the model scores {size}")
    return Vocabulary(tuple(numbered[i] for i in range(len(numbered))))


def _refused(why: str) -> ModelRefused:
    return ModelRefused(
        f"tokens.txt: {why}",
        field="tokens.txt",
        remedy="fetch the model again and verify its checksum: file and model belong together",
    )
