"""docs/protocol.md says what the types say: neither can change without the other."""

import asyncio
import json
import re
import sys
import types
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest

from heliovox.protocol import messages as m
from heliovox.protocol.audio import AudioFormat
from heliovox.protocol.closing import CloseCode
from heliovox.protocol.codec import decode_client, decode_server
from shared.errors import VoiceError
from tests.support.scripted_node import Stage, final, staged_at

DOCUMENT = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text()
PARTS = (m.Word, m.Place, m.Resume, m.Recovery, AudioFormat)
SECTIONS = dict(re.findall(r"^##+ (.+?)\n(.*?)(?=^##+ |\Z)", DOCUMENT, re.DOTALL | re.MULTILINE))
CALLER, NODE = list(get_args(m.ClientMessage)), list(get_args(m.ServerMessage))
PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}
Struct = type[msgspec.Struct]


def heading(kind: Struct) -> str:
    tag = kind.__struct_config__.tag or kind.__name__
    return "`marker` (answer)" if kind is m.MarkerReached else f"`{tag}`"


def rows(section: str) -> list[list[str]]:
    table = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]


def as_written(hint: Any) -> str:
    """A Python type in the document's words."""
    arguments = get_args(hint)
    if get_origin(hint) is types.UnionType:
        return f"{as_written(arguments[0])} or null"
    if get_origin(hint) is tuple:
        return f"array of {as_written(arguments[0])}"
    if get_origin(hint) is Literal:
        return "string"
    return PLAIN.get(hint) or hint.__name__


def default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    value = field.default
    if value is msgspec.NODEFAULT:
        value = field.default_factory()
    return f"`{json.dumps(msgspec.to_builtins(value))}`"


@pytest.mark.parametrize("kind", [*CALLER, *NODE, *PARTS], ids=heading)
def test_every_field_is_documented_as_it_is(kind: Struct) -> None:
    hints = get_type_hints(kind)
    table = rows(SECTIONS[heading(kind)])
    said = [[name.strip("`"), form, begin] for name, form, begin, _ in table]
    real = [[f.name, as_written(hints[f.name]), default(f)] for f in msgspec.structs.fields(kind)]
    assert said == real


def test_no_message_is_documented_that_does_not_exist() -> None:
    documented = {title for title in SECTIONS if title.startswith("`")}
    assert documented == {heading(kind) for kind in [*CALLER, *NODE, *PARTS]}


def descendants(kind: type[VoiceError]) -> list[type[VoiceError]]:
    return [one for child in kind.__subclasses__() for one in (child, *descendants(child))]


def test_every_error_is_documented_as_it_is() -> None:
    kinds = [VoiceError, *descendants(VoiceError)]
    local = {"model_refused", "snapshot_refused"}  # of an operator's concern, never on the wire
    real = {
        kind.code: [
            "yes" if kind.retryable else "no",
            str(int(kind.close_code)),
            str(int(kind.http_status)),
        ]
        for kind in kinds
        if kind.code not in local and kind.__module__ == "shared.errors"
    }
    assert {row[0].strip("`"): row[2:] for row in rows(SECTIONS["Errors"])} == real


def test_every_close_code_is_documented() -> None:
    assert [row[0] for row in rows(SECTIONS["Close codes"])] == [str(int(c)) for c in CloseCode]


def test_every_link_leads_somewhere() -> None:
    anchors = {re.sub(r"[^a-z0-9_ -]", "", title.lower()).replace(" ", "-") for title in SECTIONS}
    assert set(re.findall(r"\]\(#([^)]+)\)", DOCUMENT)) <= anchors


def test_the_annotated_session_is_made_of_real_messages() -> None:
    lines = re.findall(r"^([<>]) (\{.*\})", SECTIONS["A session, annotated"], re.MULTILINE)
    for side, text in lines:
        message = decode_client(text) if side == ">" else decode_server(text)
        assert set(json.loads(text)) <= {"type", *type(message).__struct_fields__}
    assert len(lines) > 10


@pytest.mark.anyio
async def test_the_documents_client_works(tmp_path: Path) -> None:
    source = re.findall(r"```python\n(.*?)```", SECTIONS["A whole client"], re.DOTALL)[0]
    (tmp_path / "client.py").write_text(source)
    (tmp_path / "audio.raw").write_bytes(bytes(16000))

    async def script(stage: Stage) -> None:
        await stage.opens()
        for _ in range(5):
            await stage.hears(bytes)
        await stage.hears(m.Finish)
        await stage.says(final(1, "good morning"))
        assert await stage.hears(m.Ack) == m.Ack(1)
        await stage.ends()

    async with staged_at(script) as url:
        client = await asyncio.create_subprocess_exec(
            sys.executable, "client.py", url, "key", "audio.raw",
            cwd=tmp_path, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(30):
            output, _ = await client.communicate()
    assert (client.returncode, output) == (0, b"good morning\n")
