"""Heliovox: streaming speech near the people who speak. This package is what callers hold."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from heliovox.client import AudioOut, Client, ClientError, Event, Limits, Refused, Session
    from heliovox.protocol.audio import AudioFormat

__version__ = "0.1.0"
__all__ = [
    "AudioFormat",
    "AudioOut",
    "Client",
    "ClientError",
    "Event",
    "Limits",
    "Refused",
    "Session",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """The SDK's names, fetched when first asked for: importing `heliovox` alone stays cheap."""
    if name not in __all__:
        raise AttributeError(f"module 'heliovox' has no attribute {name!r}")
    if name == "AudioFormat":
        from heliovox.protocol.audio import AudioFormat  # noqa: PLC0415

        return AudioFormat
    from heliovox import client  # noqa: PLC0415

    return getattr(client, name)
