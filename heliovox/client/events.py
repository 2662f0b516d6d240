"""What a session tells its caller: what the node says, and what became of its connection."""

import msgspec

from heliovox.protocol import messages as m


class AudioOut(msgspec.Struct, frozen=True):
    """A piece of a spoken text, in the session's output format."""

    id: str
    """The `speak` it belongs to."""
    data: bytes


class Reconnecting(m.Message, frozen=True, tag="reconnecting"):
    """The connection is lost, and another one is sought. What is sent meanwhile is kept."""

    attempt: int
    """From 1."""
    because: str
    """What went wrong just now."""


class Resumed(m.Message, frozen=True, tag="resumed"):
    """The session goes on, and no word is lost but for what a `Gap` tells of."""

    node: str
    region: str | None
    pause_ms: int
    """From the moment at which the loss was noticed."""


class Gap(m.Message, frozen=True, tag="gap"):
    """Audio that no node heard to its end and that is not kept any more: its words are missing.

    Nothing is sent in its place. Positions go on as the application counts them.
    """

    from_sample: int
    to_sample: int
    """The first sample that is heard again."""


Event = (
    m.Started
    | m.Waiting
    | m.Redirect
    | m.SpeechStarted
    | m.Partial
    | m.Final
    | m.Progress
    | m.Flushed
    | m.MarkerReached
    | m.Speaking
    | AudioOut
    | m.VoiceSwitched
    | m.Spoken
    | m.Notice
    | m.Draining
    | m.Ended
    | Reconnecting
    | Resumed
    | Gap
)
