"""What `heliovox models` says, as text and as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from edge_node.models.bench import BatchTimes
    from edge_node.models.catalog import Entry
    from edge_node.models.store import Store
    from shared.errors import VoiceError

Row = dict[str, Any]


def row(entry: "Entry", store: "Store") -> Row:
    """All that is known of a model; `files` holds absolute paths, and nothing where it is not."""
    model = store.installed(entry.name)
    return {
        "name": entry.name,
        "task": entry.task,
        "title": entry.title,
        "embedded": entry.embedded,
        "installed": model is not None,
        "languages": list(entry.languages),
        "sample_rate": entry.sample_rate,
        "family": entry.family,
        "chunk_ms": entry.chunk_ms,
        "right_context_ms": entry.right_context_ms,
        "parameters": entry.parameters,
        "licence": entry.licence,
        "source": entry.source,
        "size_bytes": entry.size_bytes,
        "checksum_known": entry.checksums_known,
        "folder": str(model.folder) if model else None,
        "files": {role: str(path) for role, path in model.files.items()} if model else {},
    }


def as_json(value: object) -> str:
    """One line, for scripts."""
    return json.dumps(value, ensure_ascii=False)


def table(rows: Sequence[Row]) -> str:
    """A line a model, aligned."""
    cells = [("NAME", "TASK", "LANGUAGES", "SIZE", "HERE", "LICENCE")]
    cells += [
        (
            row["name"],
            row["task"],
            ",".join(row["languages"]),
            megabytes(row["size_bytes"]),
            "ships" if row["embedded"] and row["installed"] else _yes(row["installed"]),
            row["licence"].split(";")[0],
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in cells)


def installed(rows: Sequence[Row]) -> str:
    """Where models now are."""
    return "\n".join(f"{row['name']}: {row['folder']}" for row in rows)


def verdicts(found: Mapping[str, Sequence[str]]) -> str:
    """A line a model, and one a problem."""
    lines = [
        line
        for name, problems in found.items()
        for line in (f"{name}: {'ok' if not problems else 'NOT as recorded'}", *_indented(problems))
    ]
    return "\n".join(lines) or "no model is here"


def verdicts_json(found: Mapping[str, Sequence[str]]) -> str:
    """The same for scripts."""
    return as_json(
        [{"name": n, "ok": not problems, "problems": [*problems]} for n, problems in found.items()]
    )


def times(measured: Sequence["BatchTimes"]) -> str:
    """A line a batch size."""
    head = "batch  steps  step p50 ms  p95 ms  seconds of work per second of audio"
    return "\n".join(
        [head]
        + [
            f"{t.batch:5}  {t.steps:5}  {t.p50_ms:11.2f}  {t.p95_ms:6.2f}  {t.rtf:.5f}"
            for t in measured
        ]
    )


def times_json(measured: Sequence["BatchTimes"]) -> str:
    """The same for scripts."""
    return as_json([asdict(t) for t in measured])


def error_line(error: "VoiceError") -> str:
    """What went wrong, and what to do about it."""
    return f"heliovox: {error.message}" + (f"\n  {error.remedy}" if error.remedy else "")


def error_json(error: "VoiceError") -> str:
    """The same for scripts, with a line end."""
    fields = {
        name: getattr(error, name) for name in ("code", "message", "field", "value", "remedy")
    }
    return as_json({"ok": False, "error": fields}) + "\n"


def megabytes(size_bytes: int | None) -> str:
    """A size for people; empty where it is not known."""
    return "" if size_bytes is None else f"{size_bytes / 1e6:.0f} MB"


class ProgressBar:
    """Redraws one line on a terminal; silent elsewhere."""

    def __init__(self, name: str, out: TextIO) -> None:
        self._name, self._out, self._shown = name, out, ""

    def __call__(self, done_bytes: int, total_bytes: int | None) -> None:
        """It is a Progress."""
        share = done_bytes / total_bytes if total_bytes else 0.0
        bar = "#" * int(share * 30)
        line = f"{self._name} [{bar:30}] {share:4.0%} of {megabytes(total_bytes)}"
        if self._out.isatty() and line != self._shown:
            self._out.write(f"\r{line}")
            self._out.flush()
            self._shown = line

    def close(self) -> None:
        """Ends the line, if one was drawn."""
        if self._shown:
            self._out.write("\n")


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _yes(here: object) -> str:
    return "yes" if here else ""
