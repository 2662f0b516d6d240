from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliovox.client.address import stream_url


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("localhost:8080", "ws://localhost:8080/v1/stream"),
        ("ws://node", "ws://node/v1/stream"),
        ("http://node:1/", "ws://node:1/v1/stream"),
        ("https://node", "wss://node/v1/stream"),
        ("wss://node/v1/stream", "wss://node/v1/stream"),
        ("wss://host/behind/a/proxy", "wss://host/behind/a/proxy/v1/stream"),
        ("ws://[::1]:80/", "ws://[::1]:80/v1/stream"),
    ],
)
def test_however_a_person_writes_it(written: str, url: str) -> None:
    assert stream_url(written) == url
    assert stream_url(url) == url


@pytest.mark.parametrize(
    "url",
    ["", "ftp://node", "ws://", "ws://node:port", "ws://node:99999", "ws://node:0",
     "ws://key@node", "ws://node/?key=secret", "ws://node/#secret"],
)  # fmt: skip
def test_what_names_no_node_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        stream_url(url)


def test_a_key_in_a_url_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="key") as caught:
        stream_url("ws://node/?key=secret")
    assert "secret" not in str(caught.value)


@given(st.text())
def test_any_text_is_an_address_or_a_value_error(url: str) -> None:
    with suppress(ValueError):
        assert stream_url(url).startswith(("ws://", "wss://"))
