"""Fetches one file over HTTP: goes on where it was cut off, gives up on a server that stalls."""

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import ClassVar

from shared.errors import VoiceError

_BLOCK_BYTES = 1 << 18
_RETRIED = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}

Progress = Callable[[int, int | None], None]
"""Told bytes so far and in all, where that is known."""


class PullFailed(VoiceError):
    """The network or the server did not give the file."""

    code: ClassVar[str] = "pull_failed"
    retryable: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Network:
    """How to reach the files."""

    mirror: str | None = None
    """Base address of a folder with the same file names; None takes the catalogue's addresses."""
    proxy: str | None = None
    """None follows HTTPS_PROXY, HTTP_PROXY and NO_PROXY."""
    stall_s: float = 30.0
    """Silence after which a connection is given up and taken up again."""
    attempts: int = 5
    """Failures in a row, without a byte of progress, until the pull fails."""
    max_bytes: int = 8 << 30
    """Nothing larger is fetched where the catalogue does not state a size."""
    wait: Callable[[float], None] = time.sleep

    def address(self, url: str, file_name: str) -> str:
        """Where to fetch `url` from."""
        return url if self.mirror is None else f"{self.mirror.rstrip('/')}/{file_name}"


class _Retry(Exception):
    """The attempt failed in a way that another may not."""


def download(
    url: str, part: Path, size_bytes: int | None, network: Network, progress: Progress
) -> None:
    """Makes `part` whole; what it holds already is not fetched again.

    Raises:
        PullFailed: refused by the server, no progress in several attempts, or too large.
    """
    failures = 0
    if size_bytes is not None and _size(part) > size_bytes:
        part.unlink()
    while not _is_whole(part, size_bytes):
        before = _size(part)
        try:
            _attempt(url, part, size_bytes, network, progress)
        except (_Retry, OSError, http.client.HTTPException) as error:
            failures = 0 if _size(part) > before else failures + 1
            if failures >= network.attempts:
                raise _failed(url, str(error) or type(error).__name__) from error
            network.wait(min(30.0, 0.5 * 2**failures))
        else:
            return


def _attempt(
    url: str, part: Path, size_bytes: int | None, network: Network, progress: Progress
) -> None:
    have = _size(part)
    with _open(url, part, have, network) as response:
        if response.status == HTTPStatus.OK and have:
            have = 0  # the server knows no ranges: from the start
        total = _total(response, have, size_bytes)
        if total is not None and total > (size_bytes or network.max_bytes):
            raise _failed(url, f"{total} bytes, expected at most {size_bytes or network.max_bytes}")
        _receive(response, part, have, total or size_bytes or network.max_bytes, progress)
    if total is not None and _size(part) < total:
        raise _Retry(f"the connection ended at byte {_size(part)} of {total}")


def _receive(
    response: http.client.HTTPResponse, part: Path, have: int, limit: int, progress: Progress
) -> None:
    with part.open("r+b" if have else "wb") as out:
        out.seek(have)
        while block := response.read1(_BLOCK_BYTES):  # what is there: a stall loses none of it
            have += len(block)
            if have > limit:
                raise _failed(response.url, f"more than the {limit} bytes expected")
            out.write(block)
            progress(have, limit)


def _open(url: str, part: Path, have: int, network: Network) -> http.client.HTTPResponse:
    headers = {"User-Agent": "heliovox", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 the opener knows http(s) alone
    try:
        response: http.client.HTTPResponse = _opener(network).open(request, timeout=network.stall_s)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.unlink()  # longer than the file: of another one, or whole and not usable
                raise _Retry("the part does not fit the file") from error
            raise _refusal(url, error.code) from error
    if have and response.status == HTTPStatus.PARTIAL_CONTENT and not _continues(response, have):
        response.close()
        raise _failed(url, "the server answered with another range than asked for")
    return response


def _refusal(url: str, status: int) -> Exception:
    if status in _RETRIED or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _Retry(f"HTTP {status}")
    return _failed(url, f"HTTP {status}")


def _opener(network: Network) -> urllib.request.OpenerDirector:
    """Speaks http and https alone: a redirect must not reach files of this machine."""
    proxies = None if network.proxy is None else {"http": network.proxy, "https": network.proxy}
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(proxies),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _continues(response: http.client.HTTPResponse, have: int) -> bool:
    return (response.headers.get("Content-Range") or "").startswith(f"bytes {have}-")


def _total(response: http.client.HTTPResponse, have: int, size_bytes: int | None) -> int | None:
    length = response.headers.get("Content-Length")
    return have + int(length) if length and length.isdigit() else size_bytes


def _is_whole(part: Path, size_bytes: int | None) -> bool:
    return size_bytes is not None and _size(part) == size_bytes


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _failed(url: str, reason: str) -> PullFailed:
    return PullFailed(
        f"{url} could not be fetched: {reason}",
        field="url",
        value=url,
        remedy="try again (what came is kept), name a mirror or a proxy, or import from a folder",
    )
