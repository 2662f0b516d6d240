"""Rows out of tables and back, grown as streams come."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.stt.rows import SPARE, Rows
from edge_node.stt.runtime import Provider
from edge_node.stt.tables import DeviceTables, Row, Tables, tables_on

FIRST = (np.full((2, 3), 7.0, np.float32), np.array(5, np.int64))


def on_a_device(provider: Provider, tables: Sequence[Row]) -> Tables:
    return DeviceTables(tables, provider)


both = pytest.mark.parametrize("make", [tables_on, on_a_device])
"""What a GPU uses runs on a CPU as well."""
Make = Callable[[Provider, Sequence[Row]], Tables]


def values_of(rows: Rows, index: int) -> tuple[float, int]:
    matrix, number = rows.read(index)
    assert matrix.shape == (2, 3)
    assert len(set(matrix.ravel().tolist())) == 1
    return float(matrix[0, 0]), int(number)


def put(rows: Rows, index: int, value: float) -> None:
    rows.write(index, [np.full((2, 3), value, np.float32), np.array(int(value), np.int64)])


@both
def test_a_fresh_row_is_as_the_first_even_where_another_was(make: Make) -> None:
    rows = Rows(FIRST, "cpu", make)
    index = rows.take()
    put(rows, index, 1.0)
    rows.give_back(index)
    assert values_of(rows, rows.take()) == (7.0, 5)


@both
def test_growing_keeps_what_is_held(make: Make) -> None:
    rows = Rows(FIRST, "cpu", make)
    held = [rows.take() for _ in range(150)]
    assert len(set(held)) == 150
    assert SPARE not in held
    for value, index in enumerate(held):
        put(rows, index, float(value))
    held += [rows.take() for _ in range(150)]
    assert [values_of(rows, index) for index in held[:150]] == [(float(v), v) for v in range(150)]
    assert values_of(rows, held[-1]) == (7.0, 5)


@both
@given(order=st.permutations(range(6)))
def test_gathered_rows_go_back_where_they_came_from(make: Make, order: list[int]) -> None:
    rows = Rows(FIRST, "cpu", make)
    held = [rows.take() for _ in range(6)]
    for value, index in enumerate(held):
        put(rows, index, float(value))
    picked = [held[i] for i in order]
    gathered = rows.gather(picked)
    assert gathered[0].numpy()[:, 0, 0].tolist() == [float(i) for i in order]
    back = picked[::-1]
    rows.scatter(back, gathered)
    assert [values_of(rows, index)[1] for index in back] == order


@both
def test_the_spare_row_may_be_named_twice(make: Make) -> None:
    rows = Rows(FIRST, "cpu", make)
    index = rows.take()
    rows.scatter([index, SPARE, SPARE], rows.gather([index, SPARE, SPARE]))
    assert values_of(rows, index) == (7.0, 5)
