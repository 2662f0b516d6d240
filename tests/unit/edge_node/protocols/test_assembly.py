from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.protocols.assembly import Assembly, Kind, check_utf8
from shared.errors import BrokenFrame, InvalidMessage, TooBig, VoiceError

LIMIT_BYTES = 16


def feed(assembly: Assembly, kind: Kind, parts: list[bytes]) -> tuple[Kind, bytes] | None:
    message = assembly.begin(kind, parts[0], final=len(parts) == 1)
    for at, part in enumerate(parts[1:], start=2):
        assert message is None
        message = assembly.carry_on(part, final=at == len(parts))
    return message


@given(
    message=st.binary(max_size=LIMIT_BYTES),
    cuts=st.lists(st.integers(0, LIMIT_BYTES), max_size=5),
)
def test_a_message_may_be_cut_anywhere(message: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(message)) for cut in cuts), len(message)]
    parts = [message[a:b] for a, b in pairwise(edges)]
    assert feed(Assembly(LIMIT_BYTES), Kind.AUDIO, parts) == (Kind.AUDIO, message)


@given(sizes=st.lists(st.integers(0, LIMIT_BYTES), min_size=1, max_size=6))
def test_the_limit_counts_whole_messages(sizes: list[int]) -> None:
    assembly = Assembly(LIMIT_BYTES)
    parts = [bytes(size) for size in sizes]
    if sum(sizes) <= LIMIT_BYTES:
        assert feed(assembly, Kind.AUDIO, parts) == (Kind.AUDIO, bytes(sum(sizes)))
    else:
        with pytest.raises(TooBig):
            feed(assembly, Kind.AUDIO, parts)
        assert not assembly.unfinished  # what was kept is let go


def test_nothing_is_kept_from_one_message_to_the_next() -> None:
    assembly = Assembly(LIMIT_BYTES)
    assert feed(assembly, Kind.TEXT, [b"a", b"b"]) == (Kind.TEXT, b"ab")
    assert feed(assembly, Kind.AUDIO, [b"c" * LIMIT_BYTES]) == (Kind.AUDIO, b"c" * LIMIT_BYTES)


def test_a_second_message_inside_a_first_is_refused() -> None:
    assembly = Assembly(LIMIT_BYTES)
    assembly.begin(Kind.TEXT, b"a", final=False)
    with pytest.raises(BrokenFrame):
        assembly.begin(Kind.AUDIO, b"b", final=True)


def test_a_continuation_of_nothing_is_refused() -> None:
    with pytest.raises(BrokenFrame):
        Assembly(LIMIT_BYTES).carry_on(b"a", final=True)


def test_a_character_may_be_cut_in_two() -> None:
    first, second = "ä".encode()[:1], "ä".encode()[1:]
    assert feed(Assembly(LIMIT_BYTES), Kind.TEXT, [first, second]) == (Kind.TEXT, "ä".encode())


def test_text_that_is_not_utf8_names_the_byte() -> None:
    with pytest.raises(InvalidMessage) as refused:
        feed(Assembly(LIMIT_BYTES), Kind.TEXT, [b"ab\xff"])
    assert (refused.value.field, refused.value.value) == ("byte", "2")


@given(st.binary(max_size=20))
def test_utf8_is_what_python_says_it_is(text: bytes) -> None:
    try:
        text.decode()
    except UnicodeDecodeError:
        with pytest.raises(VoiceError):
            check_utf8(text)
    else:
        check_utf8(text)
