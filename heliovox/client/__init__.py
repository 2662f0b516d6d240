"""The SDK: `Client`, its sessions, their events and errors."""

from heliovox.client.client import Client
from heliovox.client.errors import (
    CannotConnect,
    ClientError,
    ConnectionLost,
    NodeMisbehaved,
    Refused,
    TimedOut,
    Unauthorised,
    UnreadableAudio,
)
from heliovox.client.events import AudioOut, Event, Gap, Reconnecting, Resumed
from heliovox.client.limits import Limits
from heliovox.client.session import Session

__all__ = [
    "AudioOut",
    "CannotConnect",
    "Client",
    "ClientError",
    "ConnectionLost",
    "Event",
    "Gap",
    "Limits",
    "NodeMisbehaved",
    "Reconnecting",
    "Refused",
    "Resumed",
    "Session",
    "TimedOut",
    "Unauthorised",
    "UnreadableAudio",
]
