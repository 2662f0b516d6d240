import gc
from collections.abc import Iterator

import pytest

from shared import heap


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_what_is_there_is_never_looked_through_again() -> None:
    mine: list[object] = []
    heap.settle()
    assert all(one is not mine for one in gc.get_objects())
    assert gc.get_freeze_count() > 0


def test_what_comes_later_still_is() -> None:
    heap.settle()
    mine: list[object] = []
    mine.append(mine)
    assert any(one is mine for one in gc.get_objects())
    assert gc.isenabled()
