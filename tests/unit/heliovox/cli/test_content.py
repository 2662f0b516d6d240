"""`heliovox content`, over stores in memory: what it says, and what its exit code is."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from heliovox.cli.exits import Exit
from heliovox.cli.main import main
from shared import subjects
from shared.bus.memory import MemoryBus
from shared.content import custody
from shared.content.stores import Store
from shared.content.stream import content_stream
from tests.unit.shared.content.test_contents import final

ADDRESSES = [
    {"region": region, "url": "nats://h:1", "seed_file": "/s"} for region in ("eu-a", "eu-b")
]


@pytest.fixture
def buses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[MemoryBus]:
    """Two stores: session `s1` in both, `s2` in one."""
    file = tmp_path / "stores.json"
    file.write_text(json.dumps(ADDRESSES))
    monkeypatch.setenv("HELIOVOX_CONTENT_STORES", str(file))
    made = [MemoryBus(), MemoryBus()]

    @asynccontextmanager
    async def opened(addresses: Sequence[custody.StoreAddress]) -> AsyncIterator[list[Store]]:
        stores = [Store(one.region, bus) for one, bus in zip(addresses, made, strict=True)]
        for number, store in enumerate(stores):
            if store.bus.connected and not getattr(store.bus, "filled", False):
                await fill(store.bus, "s1", "s2" if number == 0 else "s1")
                store.bus.filled = True  # type: ignore[attr-defined]
        yield stores

    monkeypatch.setattr(custody, "opened", opened)
    return made


async def fill(bus: MemoryBus, *sessions: str) -> None:
    await bus.ensure_stream(content_stream(1 << 20))
    for session in sessions:
        data = msgspec.json.encode(
            msgspec.structs.replace(final(1), session=session, text="hi \x1b")
        )
        await bus.keep(subjects.kept("r", "n", session, "transcripts"), data, session, for_s=9)


@pytest.mark.usefixtures("buses")
def test_what_is_kept_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["content", "list"]) == Exit.OK
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[1:] == [
        ["s1", "n", "transcripts", "eu-a", "(1),", "eu-b", "(1)"],
        ["s2", "n", "transcripts", "eu-a", "(1)"],
    ]
    assert main(["content", "list", "--json"]) == Exit.OK
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert found[0]["pieces"] == {"eu-a": 1, "eu-b": 1}


@pytest.mark.usefixtures("buses")
def test_words_are_shown_and_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["content", "show", "s1"]) == Exit.OK
    said = capsys.readouterr().out
    assert said.startswith("1970-01-01T00:00:00+00:00  -  hi ")
    assert "\x1b" not in said
    assert main(["content", "show", "s1", "--json"]) == Exit.OK
    assert [json.loads(line)["seq"] for line in capsys.readouterr().out.splitlines()] == [1]


@pytest.mark.usefixtures("buses")
def test_a_deletion_is_proven_and_shown_afterwards(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["content", "delete", "s1"]) == Exit.OK
    assert "eu-b: 1 before, none left" in capsys.readouterr().out
    assert main(["content", "show", "s1"]) == Exit.FAILED
    assert "nothing is kept of s1 any more: it was deleted" in capsys.readouterr().err
    assert main(["content", "delete", "s1", "--json"]) == Exit.OK
    receipt = json.loads(capsys.readouterr().out)
    assert (receipt["verified"], receipt["places"][0]["before"]) == (True, 0)
    assert main(["content", "show", "s2"]) == Exit.OK


@pytest.mark.usefixtures("buses")
def test_a_session_that_nobody_knows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["content", "delete", "s9"]) == Exit.OK
    assert "nothing was kept of it" in capsys.readouterr().out
    assert main(["content", "show", "s9"]) == Exit.FAILED
    assert "nothing is kept of s9\n" in capsys.readouterr().err


def test_a_store_that_is_away_is_named_and_nothing_is_called_done(
    buses: list[MemoryBus], capsys: pytest.CaptureFixture[str]
) -> None:
    buses[1].cut()
    assert main(["content", "list"]) == Exit.FAILED
    assert "eu-b does not answer: the message bus is not connected" in capsys.readouterr().err
    assert main(["content", "show", "s1"]) == Exit.FAILED
    assert "eu-b does not answer" in capsys.readouterr().err
    assert main(["content", "delete", "s1", "--wait", "0"]) == Exit.FAILED
    said = capsys.readouterr().out
    assert "eu-a: 1 before, none left" in said
    assert "eu-b: unknown what is left: the message bus is not connected" in said
    assert "NOT verified" in said


def test_stores_are_made_and_changed(
    buses: list[MemoryBus], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["content", "prepare", "--max-bytes", "4096"]) == Exit.OK
    assert capsys.readouterr().out == "eu-a: 4096 bytes\neu-b: 4096 bytes\n"
    assert [bus.log("CONTENT").max_bytes for bus in buses] == [4096, 4096]
    buses[1].cut()
    assert main(["content", "prepare"]) == Exit.FAILED
    assert "the message bus is not connected" in capsys.readouterr().err


@pytest.mark.parametrize("session", ["", "a.b", "*", ">", "A", "a b", "x" * 64])
@pytest.mark.usefixtures("buses")
def test_what_is_no_session_is_wrong_usage(
    session: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Never a pattern: that would delete what others have said."""
    assert main(["content", "delete", session]) == Exit.USAGE
    assert "cannot stand in a subject" in capsys.readouterr().err


@pytest.mark.parametrize("text", [None, "{}", "[]", "\xff"])
def test_no_stores_are_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    monkeypatch.setenv("HELIOVOX_HOME", str(tmp_path))
    monkeypatch.delenv("HELIOVOX_CONTENT_STORES", raising=False)
    assert main(["content", "list"]) == Exit.USAGE
    file = tmp_path / "stores"
    if text is not None:
        file.write_text(text)
    assert main(["content", "list", "--stores", str(file)]) == Exit.USAGE
