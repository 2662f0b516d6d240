"""Logs: what happened, never what was said or by whom."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal, TextIO
from urllib.parse import urlsplit

LogFormat = Literal["text", "json"]
_SHOWN_PATH_CHARACTERS = 80


class AccessWithoutIdentities(logging.Filter):
    """Takes addresses and queries, where keys and words end up, out of uvicorn's access log."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrites the record; one of another shape is not let through."""
        if not (isinstance(record.args, tuple) and len(record.args) == 5):
            return False
        _client, method, path, _version, status = record.args
        record.msg, record.args = "%s %s %s", (method, shown_path(str(path)), status)
        return True


def shown_path(path: str) -> str:
    """A request's path as a log may show it: no query, no control characters, not endless."""
    try:
        bare = urlsplit(path).path
    except ValueError:
        return "(no path)"
    printable = "".join(c if c.isascii() and c.isprintable() else "?" for c in bare)
    return printable[:_SHOWN_PATH_CHARACTERS]


class JsonLines(logging.Formatter):
    """One JSON object a line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def configure_logging(level: str, form: LogFormat, stream: TextIO | None = None) -> None:
    """Sends every log of the process to `stream` (stderr if None), once."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        JsonLines()
        if form == "json"
        else logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    access = logging.getLogger("uvicorn.access")
    access.filters = [AccessWithoutIdentities()]
