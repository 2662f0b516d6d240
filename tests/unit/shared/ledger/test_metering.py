"""Whatever comes of a session, everything that was heard is written down, and counts once."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.metering import HEARD_EVERY_MS, Meter
from shared.ledger.records import Record

STEPS = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 9)), max_size=30)


def lived(steps: list[tuple[int, int, int]], *, counts: bool, over: bool) -> list[Any]:
    meter, now_ms, said = Meter("s", counts), 0, 0
    records: list[Record] = []
    heard = released = 0
    for more, free, characters in steps:
        now_ms += HEARD_EVERY_MS // 2 * (1 + more % 9)
        heard, said = heard + more, said + characters
        released = min(heard, released + free)
        meter.heard(heard, released, said)
        records += meter.due(now_ms)
    return [msgspec.to_builtins(one) for one in records + meter.close("finish", over=over)]


def tiles(records: list[Any], what: str, unit: str) -> int:
    """Up to where ranges follow one another without a gap."""
    at = 0
    for one in records:
        if one["what"] == what and one["unit"] == unit:
            assert one["from"] == at < one["to"]
            at = one["to"]
    return at


@given(STEPS)
def test_everything_heard_counts_once(steps: list[tuple[int, int, int]]) -> None:
    records = lived(steps, counts=True, over=True)
    heard, said = sum(step[0] for step in steps), sum(step[2] for step in steps)
    for what in ("heard", "counted"):
        assert tiles(records, what, "samples") == heard
        assert tiles(records, what, "characters") == said
    assert (records[-1]["samples"], records[-1]["total"]) == (heard, heard)


@given(STEPS)
def test_a_relay_hears_and_counts_nothing(steps: list[tuple[int, int, int]]) -> None:
    records = lived(steps, counts=False, over=True)
    assert tiles(records, "heard", "samples") == sum(step[0] for step in steps)
    assert not any(one["what"] == "counted" for one in records)
    assert records[-1]["total"] is None


@given(STEPS)
def test_what_goes_on_elsewhere_counts_as_far_as_it_was_released(
    steps: list[tuple[int, int, int]],
) -> None:
    """The caller sends the rest again, and it counts where he sends it."""
    released = heard = 0
    for more, free, _ in steps:
        heard += more
        released = min(heard, released + free)
    records = lived(steps, counts=True, over=False)
    assert tiles(records, "counted", "samples") == released
    assert tiles(records, "heard", "samples") == heard
    assert records[-1]["total"] is None
