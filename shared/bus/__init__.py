"""The message bus: what node and centre ask of it, over NATS or in memory."""

from shared.bus.model import (
    Bucket,
    Bus,
    Entry,
    Handler,
    KeyValues,
    Source,
    Stored,
    Stream,
    Subscription,
)

__all__ = [
    "Bucket",
    "Bus",
    "Entry",
    "Handler",
    "KeyValues",
    "Source",
    "Stored",
    "Stream",
    "Subscription",
]
