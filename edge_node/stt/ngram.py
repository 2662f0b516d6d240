"""Word n-grams with back-off, from the ARPA format that language model toolkits write."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log

from shared.errors import ModelRefused

UNKNOWN = "<unk>"
BEGIN = "<s>"
END = "</s>"
_LARGEST_ORDER = 5


@dataclass(frozen=True, slots=True)
class NGram:
    """Natural logarithms, by the words in the order they are said."""

    logprob: dict[tuple[str, ...], float]
    backoff: dict[tuple[str, ...], float]
    """Of each history that has successors of its own."""
    notes: dict[str, float]
    """`name number` lines before the data, where the format allows anything."""

    @property
    def words(self) -> frozenset[str]:
        """The vocabulary, without the words that stand for a boundary or for any other word."""
        return frozenset(one[0] for one in self.logprob if len(one) == 1) - {UNKNOWN, BEGIN, END}

    @property
    def is_open(self) -> bool:
        """Whether words outside the vocabulary are possible."""
        return (UNKNOWN,) in self.logprob


def read_arpa(text: str) -> NGram:
    """The n-grams of an ARPA file.

    Raises:
        ModelRefused: a line that is none of the format, other counts than it says, no words.
    """
    lines = iter(enumerate(text.splitlines(), 1))
    notes = _notes(lines)
    read = NGram({}, {}, notes)
    counts = [0] * (_LARGEST_ORDER + 1)
    order = 0
    for number, line in lines:
        if not line.strip() or line.startswith("\\end\\"):
            continue
        if line.startswith("ngram "):
            _count(line, number, counts)
        elif line.startswith("\\"):
            order = _order(line, number)
        else:
            _entry(line, number, order, read)
    _check(read, counts)
    return read


def _notes(lines: Iterator[tuple[int, str]]) -> dict[str, float]:
    notes: dict[str, float] = {}
    for _, line in lines:
        if line.startswith("\\data\\"):
            return notes
        name, _, value = line.strip().partition(" ")
        try:
            notes[name] = float(value)
        except ValueError:
            continue  # a remark
    raise _refused("has no \\data\\ line")


def _count(line: str, number: int, counts: list[int]) -> None:
    order, _, count = line.removeprefix("ngram ").partition("=")
    if not (order.isdecimal() and 1 <= int(order) <= _LARGEST_ORDER and count.isdecimal()):
        raise _refused(f"line {number} counts no n-grams of an order from 1 to {_LARGEST_ORDER}")
    counts[int(order)] = int(count)


def _order(line: str, number: int) -> int:
    order = line.strip().removeprefix("\\").removesuffix("-grams:")
    if not (order.isdecimal() and 1 <= int(order) <= _LARGEST_ORDER):
        raise _refused(f"line {number} begins no n-grams of an order from 1 to {_LARGEST_ORDER}")
    return int(order)


def _entry(line: str, number: int, order: int, read: NGram) -> None:
    fields = line.split()
    words = tuple(fields[1 : order + 1])
    rest = fields[order + 1 :]
    try:
        logprob, backoff = float(fields[0]), float(rest[0]) if rest else None
    except ValueError:
        words = ()
        logprob, backoff = 0.0, None
    if order == 0 or len(words) != order or len(rest) > 1 or not logprob <= 0.0:
        raise _refused(f"line {number} is no {order}-gram with its logarithms")
    read.logprob[words] = logprob * log(10)
    if backoff is not None:
        read.backoff[words] = backoff * log(10)


def _check(read: NGram, counts: list[int]) -> None:
    there = [0] * len(counts)
    for words in read.logprob:
        there[len(words)] += 1
    if there != counts:
        raise _refused(f"has {there[1:]} n-grams of each order and says {counts[1:]}")
    if not read.words:
        raise _refused("has no words")


def _refused(why: str) -> ModelRefused:
    return ModelRefused(
        f"the graph {why}",
        field="graph",
        remedy="build it again (python -m training.stt.graphs), or take the file away",
    )
