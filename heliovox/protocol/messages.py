"""Every message of the native protocol, version 1. Audio travels beside them as binary messages.

Positions (`*_sample`) count samples of the caller's own format from the first one of the session;
times (`*_ms`) count milliseconds from the same point.
"""

from typing import Literal

import msgspec

from heliovox.protocol.audio import AudioFormat

VERSION = 1
SUBPROTOCOL = "heliovox.v1"
KEY_SUBPROTOCOL_PREFIX = "heliovox.key."
TICKET_SUBPROTOCOL_PREFIX = "heliovox.ticket."

Kind = Literal["recognition", "synthesis", "conversation"]
KINDS: tuple[Kind, ...] = ("recognition", "synthesis", "conversation")
EndReason = Literal["endpoint", "flush", "forced", "finish"]


class Message(msgspec.Struct, frozen=True, tag_field="type"):
    """What every JSON message shares: its `type`."""


class Place(msgspec.Struct, frozen=True):
    """A point on the Earth, in degrees: north and east are positive."""

    lat: float
    lon: float


# --- what a caller says ---


class Resume(msgspec.Struct, frozen=True):
    """Goes on with a session whose connection was lost, or that goes to another node."""

    token: str
    """Of `recovery`, the latest that came."""
    seq: int = 0
    """The last final that came; 0 for none."""
    through_sample: int = 0
    """Where the audio goes on: the end of that final, the latest `released_sample` or the latest
    `flushed.through_sample`, whichever is later."""


class Start(Message, frozen=True, tag="start"):
    """Opens the session; the first message, once."""

    kind: str = "recognition"
    """One of KINDS. `conversation` is recognition and synthesis on one connection."""
    language: str = "en"
    audio: AudioFormat = AudioFormat()
    """What the caller will send."""
    output: AudioFormat = AudioFormat()
    """What the caller wants to hear."""
    voice: str | None = None
    """None takes the node's default voice for the language."""
    model: str | None = None
    """None takes the node's default recogniser for the language."""
    partials: bool = True
    endpoint_silence_ms: int = 700
    """Silence after words that ends an utterance, 200 to 5000."""
    graph: str | None = None
    """What is expected to be said: one of the node's decoding graphs, "none", or its default."""
    key: str | None = None
    """The caller's key, where neither a header nor a subprotocol could carry it."""
    ticket: str | None = None
    """A ticket of the control plane, likewise."""
    policy: str | None = None
    """Which residency policy holds; None takes the key's default."""
    place: Place | None = None
    """Where the caller is; None takes the place of the node."""
    redirect: bool = False
    """Whether the caller can follow `redirect`. One who cannot is relayed, where that is lawful."""
    data: str | None = None
    """What kind of data the session carries, such as `health`; None is `general`."""
    country: str | None = None
    """Where the caller says he is: ISO 3166, two letters. Whether it counts, the policy says."""
    moves: bool = False
    """Whether the caller can follow `redirect` in the middle of a session, too."""
    caller: str | None = None
    """Who speaks, in the application's own words: 1 to 128 printable characters. It is content:
    kept with the words where the policy keeps them, known elsewhere by a pseudonym at most."""
    recovers: bool = False
    """Whether the caller goes on after a lost connection, and keeps what he needs for that."""
    resume: Resume | None = None
    """Which session goes on; None opens a new one."""


class Flush(Message, frozen=True, tag="flush"):
    """Ends the utterance now: finals for all audio sent so far, then `flushed`."""

    id: str = ""


class Marker(Message, frozen=True, tag="marker"):
    """Comes back once every word of all earlier audio has come out."""

    id: str = ""


class Ack(Message, frozen=True, tag="ack"):
    """The caller has stored the finals up to `seq`."""

    seq: int


class Speak(Message, frozen=True, tag="speak"):
    """Says a text: `speaking`, audio in binary messages, then `spoken`."""

    id: str
    text: str
    voice: str | None = None
    speed: float = 1.0
    """0.5 to 2.0."""


class Cancel(Message, frozen=True, tag="cancel"):
    """Stops a `speak`, spoken or still waiting."""

    id: str


class KeepAlive(Message, frozen=True, tag="keepalive"):
    """Says that a silent caller is still there."""


class Finish(Message, frozen=True, tag="finish"):
    """No more audio and nothing more to say: the rest of the words, then `ended`."""


ClientMessage = Start | Flush | Marker | Ack | Speak | Cancel | KeepAlive | Finish

# --- what a node says ---


class Word(msgspec.Struct, frozen=True):
    """A word and when it was said."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float
    """0 to 1: the mean probability of the word's pieces."""


class Recovery(msgspec.Struct, frozen=True):
    """What a session goes on with after its connection was lost."""

    token: str
    """Unguessable, and good once: who goes on is given the next one."""
    expires_s: float
    """How long after the loss it is good."""
    number: int = 1
    """Of the token in this session, from 1."""
    url: str | None = None
    """Of the control plane, which finds another node (`POST /v1/sessions/{id}/resume`); None where
    only this node can go on."""


class Started(Message, frozen=True, tag="started"):
    """The session is open and holds a seat."""

    session: str
    node: str
    version: int
    kind: str
    language: str
    model: str | None
    voice: str | None
    audio: AudioFormat
    output: AudioFormat
    chunk_ms: int
    """The recogniser steps once for this much audio."""
    lookahead_ms: int
    """Audio the recogniser needs beyond a word before it can tell it."""
    graph: str | None = None
    """The decoding graph, None for none."""
    region: str | None = None
    """Where the node stands; None for a node of no fleet."""
    decision: str | None = None
    """The control plane's decision that led here; None where the node admitted by itself."""
    relayed_by: str | None = None
    """The node in between that passes everything on, if there is one."""
    recovery: Recovery | None = None
    """For callers who said `recovers`."""
    from_sample: int = 0
    """Where the audio goes on: 0 in a new session. All words before it are in finals that came, or
    that follow."""


class Redirect(Message, frozen=True, tag="redirect"):
    """Another node holds a seat for this session: connect to it with the ticket.

    Told only to callers whose `start` said that they can follow; the connection closes after it. It
    comes before `started`, or, to those who said `moves`, when a session may not go on where it is.
    """

    url: str
    ticket: str
    node: str
    region: str
    decision: str
    reason: str
    """Why not here: a stable code, `not_home`, `node_full`, ..."""
    from_sample: int | None = None
    """In the middle of a session: go on there with the audio from this sample on. All words before
    it are in finals."""


class Waiting(Message, frozen=True, tag="waiting"):
    """There is no seat yet, and the caller is in line for one. What he sends is held, not read.

    Comes again with every change, and every few seconds. Whoever hangs up leaves the line.
    """

    position: int
    """From 1: how many are served until he is, as things stand. It may grow: tenants take turns."""
    expires_s: float
    """Then it is over, with a seat or a refusal."""
    version: int = 1
    """Rises with every change: the same one again is only a sign of life."""
    low_s: float | None = None
    """Between this and `high_s`, from now, a seat may be expected; None while nobody can say."""
    high_s: float | None = None
    confidence: float | None = None
    """Of waits, the share that is meant to be within."""
    chance: float | None = None
    """That a seat comes before the wait is over."""
    source: str | None = None
    """What the estimate goes by: `assumed`, `kind`, `tenant`, `recent`."""
    sessions: int = 0
    """Sessions behind it."""


class SpeechStarted(Message, frozen=True, tag="speech_started"):
    """The first word of an utterance was heard."""

    at_sample: int


class Partial(Message, frozen=True, tag="partial"):
    """The words since the last final as they stand; the next one replaces it."""

    from_sample: int
    through_sample: int
    text: str
    words: tuple[Word, ...]


class Final(Message, frozen=True, tag="final"):
    """Words that will not change. `seq` counts from 1 without gaps."""

    seq: int
    from_sample: int
    through_sample: int
    """Every word said up to here is in this final or an earlier one."""
    text: str
    words: tuple[Word, ...]
    reason: EndReason


class Progress(Message, frozen=True, tag="progress"):
    """How far the audio came: received by the node, and released for the caller to drop."""

    received_sample: int
    released_sample: int


class Flushed(Message, frozen=True, tag="flushed"):
    """Answers `flush`, after the finals it caused."""

    id: str
    seq: int
    """The last final so far, 0 for none."""
    through_sample: int


class MarkerReached(Message, frozen=True, tag="marker"):
    """Answers `marker`."""

    id: str
    at_sample: int


class Speaking(Message, frozen=True, tag="speaking"):
    """The binary messages that follow, up to `spoken`, are this text."""

    id: str
    voice: str
    output: AudioFormat


class VoiceSwitched(Message, frozen=True, tag="voice_switched"):
    """Another voice took over a text that its own could not say."""

    id: str
    from_voice: str
    to_voice: str
    reason: str


class Spoken(Message, frozen=True, tag="spoken"):
    """A text is said, or cancelled."""

    id: str
    samples: int
    """Samples sent, in the session's output format."""
    cancelled: bool


class Notice(Message, frozen=True, tag="warning"):
    """Something is not as it should be; the session goes on."""

    code: str
    message: str
    field: str | None = None
    value: str | None = None
    remedy: str | None = None
    id: str | None = None
    """The `speak` that it is about, if it is about one."""


class Draining(Message, frozen=True, tag="draining"):
    """The node will stop: the session may end by itself until the deadline."""

    deadline_ms: int


class Ended(Message, frozen=True, tag="ended"):
    """The last message of a session that ended well."""

    session: str
    reason: str
    finals: int
    audio_ms: int


class Error(Message, frozen=True, tag="error"):
    """Why the session ends; the connection closes after it."""

    code: str
    message: str
    field: str | None = None
    value: str | None = None
    remedy: str | None = None
    retryable: bool = False
    """Could the same request succeed elsewhere, or later?"""
    decision: str | None = None
    """The control plane's decision that says no, to ask about; None where there is none."""


ServerMessage = (
    Started
    | Waiting
    | Redirect
    | SpeechStarted
    | Partial
    | Final
    | Progress
    | Flushed
    | MarkerReached
    | Speaking
    | VoiceSwitched
    | Spoken
    | Notice
    | Draining
    | Ended
    | Error
)
