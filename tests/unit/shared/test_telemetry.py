import io
import json
import logging
from collections.abc import Iterator

import pytest

from shared.telemetry import configure_logging, shown_path


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = before, level
    logging.getLogger("uvicorn.access").filters = []


def access(path: str) -> str:
    out = io.StringIO()
    configure_logging("info", "text", out)
    log = logging.getLogger("uvicorn.access")
    log.info('%s - "%s %s HTTP/%s" %d', "203.0.113.9:4711", "GET", path, "1.1", 200)
    return out.getvalue()


def test_the_access_log_shows_no_query_and_no_address() -> None:
    line = access("/v1/stream?key=hvk_secret")
    assert "GET /v1/stream 200" in line
    assert "secret" not in line
    assert "203.0.113.9" not in line


def test_an_access_record_of_another_shape_is_dropped() -> None:
    out = io.StringIO()
    configure_logging("info", "text", out)
    logging.getLogger("uvicorn.access").info("203.0.113.9 came by")
    assert out.getvalue() == ""


@pytest.mark.parametrize("path", ["/a\nb", "/\x1b[31m", "/" + "a" * 500, "//[", "/ü"])
def test_a_path_cannot_write_its_own_log_lines(path: str) -> None:
    shown = shown_path(path)
    assert shown.isprintable()
    assert len(shown) <= 80


def test_json_logs_are_one_object_a_line() -> None:
    out = io.StringIO()
    configure_logging("warning", "json", out)
    logging.getLogger("a").info("not shown")
    logging.getLogger("a").error("two\nlines", exc_info=ValueError("no"))
    (line,) = out.getvalue().splitlines()
    parsed = json.loads(line)
    assert (parsed["level"], parsed["message"]) == ("error", "two\nlines")
    assert "ValueError: no" in parsed["exception"]
