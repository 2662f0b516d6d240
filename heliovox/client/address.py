"""Where a node is, in whatever form a person writes it. Pure."""

from urllib.parse import urlsplit

_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss", "": "ws"}
STREAM_PATH = "/v1/stream"


def stream_url(url: str) -> str:
    """The address of a node's native WebSocket.

    Args:
        url: `host:port`, or an http, https, ws or wss URL, with or without `/v1/stream`.

    Raises:
        ValueError: another scheme, no host, or a key in the URL, where logs would show it.
    """
    parts = urlsplit(url if "://" in url else f"ws://{url}")
    if parts.scheme not in _SCHEMES:
        raise ValueError(f"url={url!r}: scheme {parts.scheme!r}; use ws, wss, http or https")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("url carries a user, query or fragment; hand the key over as `key`")
    if not parts.hostname or not _port_is_fine(parts.netloc):
        raise ValueError(f"url={url!r}: no host or a bad port; write it as ws://host:port")
    base = parts.path.rstrip("/").removesuffix(STREAM_PATH)
    return f"{_SCHEMES[parts.scheme]}://{parts.netloc}{base}{STREAM_PATH}"


def control_url(url: str) -> str:
    """The address of a control plane, without a trailing slash.

    Args:
        url: `host:port`, or an http or https URL.

    Raises:
        ValueError: another scheme, no host, or a key in the URL, where logs would show it.
    """
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in {"http", "https"}:
        raise ValueError(f"control={url!r}: scheme {parts.scheme!r}; use http or https")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("control carries a user, query or fragment; hand the key over as `key`")
    if not parts.hostname or not _port_is_fine(parts.netloc):
        raise ValueError(f"control={url!r}: no host or a bad port; write it as http://host:port")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _port_is_fine(netloc: str) -> bool:
    try:
        port = urlsplit(f"//{netloc}").port
    except ValueError:
        return False
    return port != 0
