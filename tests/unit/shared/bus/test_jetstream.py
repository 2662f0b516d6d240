import json

import pytest

from shared.bus import Bucket, Source, Stream, jetstream
from shared.errors import BusFailed


def test_a_stream_is_bounded_and_says_where_it_copies_from() -> None:
    stream = Stream("NOTES", 1000, sources=(Source("NOTES_a", "a"), Source("HERE")), max_age_s=60.0)
    config = jetstream.stream_config(stream)
    assert config["max_bytes"] == 1000
    assert config["max_age"] == 60_000_000_000
    assert config["duplicate_window"] == 60_000_000_000  # never longer than messages live
    assert config["sources"] == [
        {"name": "NOTES_a", "external": {"api": "$JS.a.API", "deliver": ""}},
        {"name": "HERE"},
    ]


def test_a_bucket_is_what_other_clients_take_for_one() -> None:
    config = jetstream.bucket_config(Bucket("KEYS", 1000, history=3))
    assert config["name"] == "KV_KEYS"
    assert config["subjects"] == ["$KV.KEYS.>"]
    assert config["max_msgs_per_subject"] == 3
    assert config["allow_rollup_hdrs"]
    assert config["allow_direct"]


@pytest.mark.parametrize(
    "reply",
    [
        "$JS.ACK.NOTES.reader.1.17.3.1700000000.5",
        "$JS.ACK.centre.ACCOUNT.NOTES.reader.1.17.3.1700000000.5",
        "$JS.ACK.centre.ACCOUNT.NOTES.reader.1.17.3.1700000000.5.random",
    ],
)
def test_where_a_message_stands(reply: str) -> None:
    assert jetstream.position(reply) == jetstream.Position(sequence=17, pending=5)


@pytest.mark.parametrize("said", [b"", b"nothing", b"[]", b'"a"'])
def test_an_answer_that_is_none(said: bytes) -> None:
    with pytest.raises(BusFailed):
        jetstream.answer(said, "STREAM.INFO")


def test_an_answer_that_says_no() -> None:
    said = json.dumps({"error": {"code": 404, "err_code": 10059, "description": "not found"}})
    with pytest.raises(jetstream.JetStreamFailed, match=r"STREAM.INFO.A: not found") as failed:
        jetstream.answer(said.encode(), "STREAM.INFO.A")
    assert failed.value.number == jetstream.STREAM_NOT_FOUND


def test_who_reads_begins_where_he_asked() -> None:
    policies = {after: jetstream.consumer_config("r", ">", after=after) for after in (None, 0, 7)}
    assert policies[None]["deliver_policy"] == "last_per_subject"
    assert policies[0]["deliver_policy"] == "all"
    assert (policies[7]["deliver_policy"], policies[7]["opt_start_seq"]) == ("by_start_sequence", 8)


@pytest.mark.parametrize(
    ("headers", "deleted"),
    [
        (None, False),
        ({}, False),
        ({"KV-Operation": "DEL"}, True),
        ({"KV-Operation": "PURGE"}, True),
        ({"Nats-Marker-Reason": "MaxAge"}, True),
        ({"Nats-Msg-Id": "a"}, False),
    ],
)
def test_what_marks_a_key_as_gone(headers: dict[str, str] | None, deleted: bool) -> None:
    assert jetstream.is_deleted(headers) is deleted
