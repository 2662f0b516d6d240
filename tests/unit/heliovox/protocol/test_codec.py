"""Every message survives the wire; everything else is Undecodable, never another error."""

import json
from contextlib import suppress
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliovox.protocol import messages as m
from heliovox.protocol.codec import Undecodable, decode_client, decode_server, encode

st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))  # JSON has none
CLIENT = list(get_args(m.ClientMessage))
SERVER = list(get_args(m.ServerMessage))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
TAGS = st.sampled_from(sorted({kind.__struct_config__.tag for kind in CLIENT + SERVER}))
NAMES = st.sampled_from(
    sorted({name for kind in CLIENT + SERVER for name in kind.__struct_fields__})
)


@pytest.mark.parametrize("kind", CLIENT)
@given(data=st.data())
def test_a_callers_message_survives_the_wire(
    kind: type[m.ClientMessage], data: st.DataObject
) -> None:
    message = data.draw(st.from_type(kind))
    assert decode_client(encode(message)) == message


@pytest.mark.parametrize("kind", SERVER)
@given(data=st.data())
def test_a_nodes_message_survives_the_wire(
    kind: type[m.ServerMessage], data: st.DataObject
) -> None:
    message = data.draw(st.from_type(kind))
    assert decode_server(encode(message)) == message


@given(st.dictionaries(NAMES, JSON), TAGS)
def test_any_fields_make_a_message_or_undecodable(fields: dict[str, object], tag: str) -> None:
    text = json.dumps({**fields, "type": tag})
    for decode in (decode_client, decode_server):
        with suppress(Undecodable):
            decode(text)


@given(st.one_of(st.binary(), st.text(), JSON.map(json.dumps)))
def test_any_bytes_make_a_message_or_undecodable(data: bytes | str) -> None:
    for decode in (decode_client, decode_server):
        with suppress(Undecodable):
            decode(data)


@given(st.one_of(st.binary(), st.text(), JSON.map(json.dumps)))
def test_what_stands_in_a_field_is_told_or_nothing(data: bytes | str) -> None:
    told = Undecodable("Expected `int` - at `$.seq`", data).value
    assert told is None or told.encode()


@pytest.mark.parametrize("text", ["[" * 100_000, '{"type":"start","a":' * 5_000, "\ud800"])
def test_hostile_texts_are_undecodable(text: str) -> None:
    with pytest.raises(Undecodable):
        decode_client(text)


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ('{"type":"ack"}', "seq", None),
        ('{"type":"ack","seq":"1"}', "seq", "1"),
        ('{"type":"ack","seq":null}', "seq", "null"),
        ('{"type":"start","audio":{"sample_rate":true}}', "audio.sample_rate", "true"),
        ('{"type":"start","audio":[1]}', "audio", "[1]"),
        ('{"type":"start","place":{"lat":1}}', "place.lon", None),
        ('{"type":"start","key":["secret"]}', "key", None),
        ('{"type":"start","ticket":["secret"]}', "ticket", None),
        ('{"type":"start","resume":"secret"}', "resume", None),
        ('{"type":"start","resume":{"token":["secret"]}}', "resume.token", None),
        ('{"type":"sing"}', "type", "sing"),
        ("{}", "type", None),
        ("[]", "message", None),
        ("{", "message", None),
    ],
)
def test_the_wrong_field_is_named(text: str, field: str, value: str | None) -> None:
    with pytest.raises(Undecodable) as wrong:
        decode_client(text)
    assert (wrong.value.field, wrong.value.value) == (field, value)


def test_unknown_fields_are_ignored() -> None:
    assert decode_client('{"type":"flush","id":"a","newer":[1]}') == m.Flush("a")
