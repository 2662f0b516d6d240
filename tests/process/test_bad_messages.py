"""Text that is no message of the protocol, or not now: a typed error, a close code, no harm."""

import json

import pytest

from tests.support.running_node import RunningNode
from tests.support.talk import FINISH, opened, refusal, rest, spoken, start, until, words

pytestmark = pytest.mark.process


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"language": "xx"}, "language"),
        ({"language": ""}, "language"),
        ({"kind": "telepathy"}, "kind"),
        ({"model": "none"}, "model"),
        ({"kind": "synthesis", "voice": "none"}, "voice"),
        ({"audio": {"encoding": "opus", "sample_rate": 16000}}, "audio.encoding"),
        ({"audio": {"encoding": "pcm_s16le", "sample_rate": 11025}}, "audio.sample_rate"),
        ({"audio": {"encoding": "pcm_s16le", "sample_rate": 0}}, "audio.sample_rate"),
        ({"audio": {"encoding": "pcm_s16le", "sample_rate": -1}}, "audio.sample_rate"),
        ({"audio": {"encoding": "mulaw", "sample_rate": 16000}}, "audio.sample_rate"),
        ({"output": {"encoding": "alaw", "sample_rate": 44100}}, "output.sample_rate"),
    ],
)
def test_what_the_node_does_not_have(
    node: RunningNode, fields: dict[str, object], field: str
) -> None:
    with node.call() as caller:
        caller.send(start(**fields))
        (error,) = rest(caller)
        assert (error["type"], error["code"]) == ("error", "unsupported")
        assert error["field"] == field
        assert error["remedy"]
        assert caller.close_code == 4404


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "[]",
        "null",
        "hello",
        "{}",
        '{"type": "open"}',
        '{"type": 1}',
        '{"type": "start", "audio": 5}',
        '{"type": "start", "partials": "yes"}',
        '{"type": "start", "endpoint_silence_ms": 1e99}',
        '{"type": "start", "endpoint_silence_ms": 199}',
        '{"type": "start", "language": null}',
        '{"type": "start"} {"type": "start"}',
        "[" * 100_000,
        '{"type": "flush"}',
        '{"type": "ack", "seq": 1}',
        FINISH,
    ],
)
def test_what_does_not_open_a_session(node: RunningNode, message: str) -> None:
    with node.call() as caller:
        caller.send(message)
        assert refusal(caller) == ("invalid_message", 1007)


@pytest.mark.parametrize(
    "message",
    [
        start(),
        "not json",
        '{"type": "ack", "seq": "1"}',
        '{"type": "speak", "id": "a", "text": "hello"}',
        '{"type": "speak"}',
    ],
)
def test_what_ends_a_session(node: RunningNode, message: str) -> None:
    with node.call() as caller:
        opened(caller)
        caller.send(message)
        code, close_code = refusal(caller)
        assert (code, close_code) == ("invalid_message", 1007)


def test_unknown_fields_are_ignored(node: RunningNode) -> None:
    with node.call() as caller:
        caller.send(json.dumps({"type": "start", "colour": "blue", "audio": {"depth": 3}}))
        caller.send(spoken("hello   "))
        caller.send(FINISH)
        assert words(rest(caller)) == ["hello"]


def test_nothing_is_said_after_finish(node: RunningNode) -> None:
    with node.call() as caller:
        opened(caller)
        caller.send(FINISH)
        caller.send('{"type": "flush"}')
        heard = rest(caller)
        assert heard[-1]["type"] in {"ended", "error"}


@pytest.mark.parametrize("seq", [1, -1, 2**40])
def test_a_final_that_never_was_is_not_acknowledged(node: RunningNode, seq: int) -> None:
    with node.call() as caller:
        opened(caller)
        caller.send(json.dumps({"type": "ack", "seq": seq}))
        warning = until(caller, "warning")[-1]
        assert (warning["code"], warning["field"]) == ("invalid_message", "seq")
        caller.send(FINISH)
        assert rest(caller)[-1]["type"] == "ended"


@pytest.mark.parametrize(
    ("speak", "code", "field"),
    [
        ({"text": ""}, "nothing_to_say", "text"),
        ({"text": "a" * 5001}, "too_big", "text"),
        ({"text": "a", "speed": 0.1}, "unsupported", "speed"),
        ({"text": "a", "speed": 1e308}, "unsupported", "speed"),
        ({"text": "\u2603\u0000\u202e"}, "nothing_to_say", "text"),
    ],
)
def test_what_cannot_be_said(
    node: RunningNode, speak: dict[str, object], code: str, field: str
) -> None:
    with node.call() as caller:
        opened(caller, kind="synthesis")
        caller.send(json.dumps({"type": "speak", "id": "a", **speak}))
        heard = until(caller, "spoken")
        (warning,) = (each for each in heard if each["type"] == "warning")
        assert (warning["code"], warning["field"]) == (code, field)
        assert heard[-1] == {"type": "spoken", "id": "a", "samples": 0, "cancelled": True}
        caller.send(FINISH)
        assert rest(caller)[-1]["type"] == "ended"


def test_too_many_texts_at_once(node: RunningNode) -> None:
    """Those that fit are said, the others are refused one by one."""
    with node.call() as caller:
        opened(caller, kind="synthesis")
        for number in range(100):
            caller.send(json.dumps({"type": "speak", "id": str(number), "text": "abc " * 1000}))
        for number in range(100):
            caller.send(json.dumps({"type": "cancel", "id": str(number)}))
        caller.send(FINISH)
        heard = [each for each in rest(caller) if isinstance(each, dict)]
        refused = [each for each in heard if each["type"] == "warning"]
        assert {each["code"] for each in refused} == {"too_big"}
        assert len([each for each in heard if each["type"] == "spoken"]) == 100
        assert heard[-1]["type"] == "ended"
