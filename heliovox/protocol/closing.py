"""Why a connection closed, as the close code says it."""

from enum import IntEnum


class CloseCode(IntEnum):
    """RFC 6455 codes where one fits; 4000 and up are ours."""

    NORMAL = 1000
    GOING_AWAY = 1001
    """The node drains: open the session elsewhere."""
    BROKEN_FRAME = 1002
    """Not WebSocket frames, or in an order that WebSocket does not allow."""
    WRONG_KIND = 1003
    """Text where audio belongs, or the reverse."""
    INVALID = 1007
    """A message that cannot be understood."""
    POLICY = 1008
    """A limit was passed: silence before `start`, an unread connection, an idle one."""
    TOO_BIG = 1009
    INTERNAL = 1011
    TRY_LATER = 1013
    """The node is full: another node, or this one later."""
    MOVED = 4307
    """Another node holds a seat: see `redirect`."""
    UNAUTHORISED = 4401
    FORBIDDEN = 4403
    """A policy, or what the key permits, does not allow it."""
    UNSUPPORTED = 4404
    """An unknown language, kind, rate, voice or model."""
    SUPERSEDED = 4409
    """The session goes on over a newer connection."""
