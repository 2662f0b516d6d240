"""The states of all streams, a row each: which row is whose, and what is in it."""

from collections.abc import Callable, Sequence

import numpy as np
import onnxruntime as ort

from edge_node.stt.runtime import Provider, on_device
from edge_node.stt.tables import Row, Tables, tables_on

_FIRST_ROWS = 32
SPARE = 0
"""The row that fills a batch up; what it holds is nothing to anybody."""


class Rows:
    """Rows of tables, which grow by doubling as streams come.

    Args:
        first: the row of a fresh stream, of each table.
        provider: where the tables live.
        make: the tables, of their first contents.
    """

    def __init__(
        self,
        first: Sequence[Row],
        provider: Provider,
        make: Callable[[Provider, Sequence[Row]], Tables] = tables_on,
    ) -> None:
        self._first = [np.array(row) for row in first]
        self._provider = provider
        self._height = _FIRST_ROWS
        self._free = list(range(SPARE + 1, _FIRST_ROWS))
        blank = [np.zeros((_FIRST_ROWS, *row.shape), row.dtype) for row in self._first]
        self._tables = make(provider, blank)

    def take(self) -> int:
        """A row that is nobody's, in the state of a fresh stream."""
        if not self._free:
            self._grow()
        index = self._free.pop()
        self.write(index, self._first)
        return index

    def give_back(self, index: int) -> None:
        """The row is nobody's again."""
        self._free.append(index)

    def reset(self, index: int) -> None:
        """The row as of a fresh stream."""
        self.write(index, self._first)

    def read(self, index: int) -> list[Row]:
        """A row's values, on the host; copied, as an array of an OrtValue ends with it."""
        return [value.numpy()[0].copy() for value in self.gather([index])]

    def write(self, index: int, row: Sequence[Row]) -> None:
        """A row's values, from the host."""
        values = [on_device(part[None], self._provider) for part in row]
        self.scatter([index], values)

    def gather(self, indices: Sequence[int]) -> list[ort.OrtValue]:
        """The rows, in this order, each table's in one array on the device."""
        return self._tables.gather(indices)

    def scatter(self, indices: Sequence[int], values: Sequence[ort.OrtValue]) -> None:
        """Writes rows back; none but SPARE may be named twice."""
        self._tables.scatter(indices, values)

    def _grow(self) -> None:
        self._tables = self._tables.grown(2 * self._height)
        self._free = list(range(self._height, 2 * self._height))
        self._height *= 2
