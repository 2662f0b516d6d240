from control_plane.fleet.words import words_of
from shared.capacity import CapacityReport, KindRoom
from tests.support.fleets import report

READINGS = {"seq", "at_ms", "reserved", "step_p50_ms", "step_p95_ms", "queue", "kinds"}
"""What is in no report's words, and so is checked and recorded of each."""


def test_every_field_is_either_a_reading_or_among_the_words() -> None:
    first = report()
    for field in CapacityReport.__struct_fields__:
        other = report(**{field: _other(getattr(first, field))})
        assert (words_of(other) == words_of(first)) == (field in READINGS), field


def test_which_kinds_there_are_is_among_the_words_and_their_order() -> None:
    one = report(kinds={"recognition": KindRoom(1, 1), "synthesis": KindRoom(0, 1)})
    turned = report(kinds={"synthesis": KindRoom(0, 1), "recognition": KindRoom(1, 1)})
    fewer = report(kinds={"recognition": KindRoom(1, 1)})
    assert len({words_of(one), words_of(turned), words_of(fewer)}) == 3


def _other(value: object) -> object:
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case tuple():
            return (*value, "other")
        case dict():
            return {kind: KindRoom(7, 7) for kind in value}
        case _:
            return f"{value}-other"
