"""What JetStream is asked, and how its answers read: JSON and headers, nothing of a connection."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.bus.matching import MAX_BYTES
from shared.bus.model import Bucket, Stream
from shared.errors import BusFailed

MESSAGE_ID = "Nats-Msg-Id"
TTL = "Nats-TTL"
ROLLUP = "Nats-Rollup"
EXPECTED_LAST = "Nats-Expected-Last-Subject-Sequence"
OPERATION = "KV-Operation"
STATUS = "Status"
DELETED = ("DEL", "PURGE")
_NS = 1_000_000_000
_FORGET_S = 30
"""A consumer that nobody asks for so long is thrown away by the server."""

NAME_IN_USE, STREAM_NOT_FOUND, CONSUMER_NOT_FOUND = 10058, 10059, 10014
GONE = (10037, 10043, 10057)
WRONG_LAST = (10071, 10164)


class JetStreamFailed(BusFailed):
    """JetStream said no; `number` is its own code of the reason."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number


def api(verb: str, domain: str | None) -> str:
    """The subject of a call."""
    return f"$JS.API.{verb}" if domain is None else f"$JS.{domain}.API.{verb}"


def answer(data: bytes, about: str) -> dict[str, Any]:
    """An answer's fields. Raises JetStreamFailed, BusFailed."""
    try:
        said = json.loads(data)
    except ValueError:
        raise BusFailed(f"{about}: the answer is not JSON") from None
    if not isinstance(said, dict):
        raise BusFailed(f"{about}: the answer is no object")
    if error := said.get("error"):
        reason = error.get("description", "no reason given")
        raise JetStreamFailed(f"{about}: {reason}", int(error.get("err_code", 0)))
    return said


def stream_config(stream: Stream) -> dict[str, Any]:
    """Of one server, on disk."""
    sources = [
        {"name": source.stream}
        | (
            {}
            if source.domain is None
            else {"external": {"api": f"$JS.{source.domain}.API", "deliver": ""}}
        )
        for source in stream.sources
    ]
    duplicates_s = min(stream.duplicates_s, stream.max_age_s or stream.duplicates_s)
    config = {
        "name": stream.name,
        "subjects": list(stream.subjects),
        "retention": "limits",
        "discard": "new" if stream.refuses_when_full else "old",
        "storage": "file",
        "num_replicas": 1,
        "max_bytes": stream.max_bytes,
        "max_age": int((stream.max_age_s or 0) * _NS),
        "max_msgs": -1,
        "max_msgs_per_subject": stream.per_subject or -1,
        "max_msg_size": MAX_BYTES,
        "max_consumers": -1,
        "duplicate_window": int(duplicates_s * _NS),
        "allow_direct": True,
        "compression": "none",
    }
    if stream.each_has_its_time:
        config |= {"allow_msg_ttl": True, "allow_rollup_hdrs": True}
    return config | ({"sources": sources} if sources else {})


def headers_of(message_id: str, for_s: int | None, *, replaces: bool) -> dict[str, str]:
    """Of a message that is to be kept. Raises ValueError for a time below a second."""
    if for_s is not None and for_s < 1:
        raise ValueError(f"for_s={for_s}: a message is kept for a second at least")
    return {
        MESSAGE_ID: message_id,
        **({} if for_s is None else {TTL: f"{for_s}s"}),
        **({ROLLUP: "sub"} if replaces else {}),
    }


def bucket_config(bucket: Bucket) -> dict[str, Any]:
    """A bucket is a stream of one subject a key, as every NATS client has it."""
    stream = Stream(
        name=f"KV_{bucket.name}",
        max_bytes=bucket.max_bytes,
        subjects=(f"$KV.{bucket.name}.>",),
        max_age_s=bucket.max_age_s,
        per_subject=bucket.history,
    )
    return stream_config(stream) | {
        "discard": "new",
        "deny_delete": True,
        "allow_rollup_hdrs": True,
    }


def consumer_config(name: str, subject: str, *, after: int | None) -> dict[str, Any]:
    """Of one reader, forgotten when he is gone.

    Args:
        name: his own.
        subject: what of the stream.
        after: begin behind this sequence; None for the last of each subject.
    """
    start: dict[str, Any] = {"deliver_policy": "last_per_subject"}
    if after is not None and after > 0:
        start = {"deliver_policy": "by_start_sequence", "opt_start_seq": after + 1}
    elif after is not None:
        start = {"deliver_policy": "all"}
    return start | {
        "name": name,
        "ack_policy": "none",
        "replay_policy": "instant",
        "filter_subject": subject,
        "mem_storage": True,
        "num_replicas": 1,
        "inactive_threshold": _FORGET_S * _NS,
        "max_waiting": 8,
    }


def consumer_verb(stream: str, name: str, subject: str) -> str:
    """CONSUMER.CREATE names what it filters, so that permissions can."""
    verb = f"CONSUMER.CREATE.{stream}.{name}"
    return verb if subject == ">" else f"{verb}.{subject}"


def next_body(batch: int, expires_s: float) -> bytes:
    """Asks a consumer for messages; it ends the wait a little before we do."""
    return json.dumps({"batch": batch, "expires": int(expires_s * _NS)}).encode()


@dataclass(frozen=True, slots=True)
class Position:
    """Where in a stream a delivered message stands."""

    sequence: int
    pending: int
    """So many are still to come of what is there."""


def position(reply: str) -> Position:
    """From a delivered message's reply subject: `$JS.ACK.` and numbers, with a domain or without.

    Source: ADR-15 of nats-architecture-and-design.
    """
    tokens = reply.split(".")
    if len(tokens) >= 11:
        return Position(int(tokens[7]), int(tokens[10]))
    return Position(int(tokens[5]), int(tokens[8]))


def is_deleted(headers: Mapping[str, str] | None) -> bool:
    """Whether a bucket's message says that the key is gone."""
    if not headers:
        return False
    return headers.get(OPERATION) in DELETED or "Nats-Marker-Reason" in headers
