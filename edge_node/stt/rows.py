"""The states of all streams, a row each, on the engine's device.

Rows are gathered for a step and scattered after it by two tiny models, so that on a GPU the states
never leave it. The scatter writes in place: its output is bound to its own table.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from edge_node.stt.rows_graph import gather_model, scatter_model
from edge_node.stt.runtime import DEVICES, Provider, on_device, session_from

Row = NDArray[Any]  # float32 or int64, as the table
_ELEMENT_TYPES: dict[str, int] = {"float32": 1, "int64": 7}
_FIRST_ROWS = 32
SPARE = 0
"""The row that fills a batch up; what it holds is nothing to anybody."""


class Rows:
    """Tables of equal height, grown by doubling as streams come.

    Args:
        first: the row of a fresh stream, of each table.
        provider: where the tables live.
    """

    def __init__(self, first: Sequence[Row], provider: Provider) -> None:
        self._first = [np.array(row) for row in first]
        self._provider = provider
        kinds = [_ELEMENT_TYPES[row.dtype.name] for row in self._first]
        self._gather = session_from(gather_model(kinds), provider)
        self._scatter = session_from(scatter_model(kinds), provider)
        self._height = _FIRST_ROWS
        self._free = list(range(SPARE + 1, _FIRST_ROWS))
        self._tables = [self._table(_FIRST_ROWS, row) for row in self._first]

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
        """A row's values, on the host."""
        return [value.numpy()[0] for value in self.gather([index])]

    def write(self, index: int, row: Sequence[Row]) -> None:
        """A row's values, from the host."""
        values = [on_device(part[None], self._provider) for part in row]
        self.scatter([index], values)

    def gather(self, indices: Sequence[int]) -> list[ort.OrtValue]:
        """The rows, in this order, each table's in one array on the device."""
        binding = self._gather.io_binding()
        self._bind_tables(binding)
        binding.bind_cpu_input("index", np.asarray(indices, np.int64))
        for number in range(len(self._tables)):
            binding.bind_output(f"row{number}", DEVICES[self._provider])
        self._gather.run_with_iobinding(binding)
        return list(binding.get_outputs())

    def scatter(self, indices: Sequence[int], values: Sequence[ort.OrtValue]) -> None:
        """Writes rows back; none but SPARE may be named twice."""
        binding = self._scatter.io_binding()
        self._bind_tables(binding)
        binding.bind_cpu_input("index", np.asarray(indices, np.int64)[:, None])
        for number, (table, value) in enumerate(zip(self._tables, values, strict=True)):
            binding.bind_ortvalue_input(f"row{number}", value)
            binding.bind_ortvalue_output(f"after{number}", table)
        self._scatter.run_with_iobinding(binding)

    def _bind_tables(self, binding: ort.IOBinding) -> None:
        for number, table in enumerate(self._tables):
            binding.bind_ortvalue_input(f"table{number}", table)

    def _grow(self) -> None:
        wider = self._height * 2
        tables = []
        for old, row in zip(self._tables, self._first, strict=True):
            table = np.zeros((wider, *row.shape), row.dtype)
            table[: self._height] = old.numpy()
            tables.append(on_device(table, self._provider))
        self._tables = tables
        self._free = list(range(self._height, wider))
        self._height = wider

    def _table(self, height: int, row: Row) -> ort.OrtValue:
        return on_device(np.zeros((height, *row.shape), row.dtype), self._provider)
