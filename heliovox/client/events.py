"""What a session tells its caller: the node's messages, and audio with the id of its text."""

import msgspec

from heliovox.protocol import messages as m


class AudioOut(msgspec.Struct, frozen=True):
    """A piece of a spoken text, in the session's output format."""

    id: str
    """The `speak` it belongs to."""
    data: bytes


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
)
