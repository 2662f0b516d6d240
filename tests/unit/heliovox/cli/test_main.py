"""The command line against a node that follows a script."""

import asyncio
import json
import os
import signal
import struct
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from heliovox.cli.main import main
from heliovox.client.files import whole_wav
from heliovox.protocol import messages as m
from heliovox.protocol.audio import AudioFormat
from tests.support.fake_control import fake_control, placed
from tests.support.scripted_node import LIMIT_S, STARTED, Script, Stage, final, staged_at

pytestmark = pytest.mark.anyio
AUDIO = struct.pack("<8000h", *range(8000))


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOVOX_KEY", "secret")
    monkeypatch.setenv("HELIOVOX_URL", "127.0.0.1:1")
    monkeypatch.setenv("HELIOVOX_HOME", "/nowhere")
    monkeypatch.setenv("no_proxy", "*")


class Command:
    """`heliovox` in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def result(self, given: bytes = b"") -> tuple[int | None, str, str]:
        async with asyncio.timeout(LIMIT_S):
            output, errors = await self.process.communicate(given)
        return self.process.returncode, output.decode(), errors.decode()


async def heliovox(*arguments: str, url: str = "", control: str = "") -> Command:
    pipe = asyncio.subprocess.PIPE
    where = ("--url", url) if url else ("--control", control)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "heliovox.cli", *arguments, *where,
        stdin=pipe, stdout=pipe, stderr=pipe,
    )  # fmt: skip
    return Command(process)


async def hears_all(stage: Stage) -> bytes:
    audio = b""
    while isinstance(heard := await stage.anything(), bytes):
        audio += heard
    assert '"finish"' in heard
    return audio


def listening(*texts: str, want: bytes = AUDIO) -> Script:
    async def script(stage: Stage) -> None:
        await stage.opens()
        assert await hears_all(stage) == want
        for seq, text in enumerate(texts, 1):
            await stage.says(m.Partial(0, 1, text[:3], ()), final(seq, text))
            assert await stage.hears(m.Ack) == m.Ack(seq)
        await stage.ends()

    return script


async def test_listening_to_a_file_prints_its_finals(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(whole_wav(AudioFormat(), AUDIO))
    async with staged_at(listening("yes", "no \x1b[31mred")) as url:
        command = await heliovox("listen", str(tmp_path / "a.wav"), url=url)
        assert await command.result() == (0, "yes\nno  [31mred\n", "")


async def test_listening_to_a_pipe_prints_json_where_asked() -> None:
    async with staged_at(listening("yes")) as url:
        command = await heliovox("listen", "-", "--rate", "8000", "--json", url=url)
        code, output, _ = await command.result(AUDIO)
    kinds = [json.loads(line)["type"] for line in output.splitlines()]
    assert (code, kinds) == (0, ["started", "partial", "final", "ended"])


async def test_a_placement_is_the_first_event_and_keeps_its_ticket(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(whole_wav(AudioFormat(), AUDIO))
    async with staged_at(listening("yes")) as node:
        with fake_control({"POST /v1/sessions": (201, placed(node, "secret-ticket"))}) as fake:
            command = await heliovox(
                *("listen", str(tmp_path / "a.wav"), "--json", "--from", "-23.5,-46.6"),
                *("--policy", "anywhere"), control=fake.url,
            )  # fmt: skip
            code, output, _ = await command.result()
    lines = [json.loads(line) for line in output.splitlines()]
    assert (code, [line["type"] for line in lines[:2]]) == (0, ["placed", "started"])
    assert (lines[0]["region"], lines[0]["decision"]) == ("eu-central", "c-1")
    assert "secret-ticket" not in output
    assert fake.asked[0].body["place"] == {"lat": -23.5, "lon": -46.6}
    assert fake.asked[0].body["policy"] == "anywhere"


async def test_ctrl_c_ends_the_input_and_prints_what_is_due() -> None:
    started: list[Command] = []

    async def script(stage: Stage) -> None:
        await stage.opens()
        await stage.hears(bytes)
        started[0].process.send_signal(signal.SIGINT)
        await listening_to_the_rest(stage)

    async def listening_to_the_rest(stage: Stage) -> None:
        await hears_all(stage)
        await stage.says(final(1, "yes"))
        await stage.ends()

    async with staged_at(script) as url:
        started.append(await heliovox("listen", "-", "--rate", "16000", url=url))
        process = started[0].process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(AUDIO)  # and no end: only Ctrl-C can end it
        async with asyncio.timeout(LIMIT_S):
            assert await process.stdout.read() == b"yes\n"
            assert await process.wait() == 130
        process.stdin.close()


def saying(audio: bytes) -> Script:
    async def script(stage: Stage) -> None:
        start = await stage.opens()
        speak = await stage.hears(m.Speak)
        await stage.says(m.Speaking(speak.id, "mouth", start.output), audio)
        await stage.says(m.Spoken(speak.id, len(audio) // 2, cancelled=False))
        await stage.hears(m.Finish)
        await stage.ends()

    return script


async def test_saying_into_a_file_writes_a_whole_wav(tmp_path: Path) -> None:
    async with staged_at(saying(AUDIO)) as url:
        command = await heliovox("say", "hello", "-o", str(tmp_path / "o.wav"), "--json", url=url)
        code, output, errors = await command.result()
    assert (code, errors) == (0, "")
    assert json.loads(output)["samples"] == 8000
    assert json.loads(output)["seconds"] == 0.5
    with wave.open(str(tmp_path / "o.wav")) as file:
        assert (file.getframerate(), file.readframes(9000)) == (16000, AUDIO)


async def test_saying_raw_to_standard_output() -> None:
    async with staged_at(saying(b"\1\2\3\4")) as url:
        command = await heliovox("say", "-", "-o", "-", "--format", "raw", url=url)
        assert await command.result(b"hello") == (0, "\1\2\3\4", "")


@pytest.mark.parametrize(
    ("error", "code"), [("unauthorised", 4), ("node_full", 5), ("unsupported", 5)]
)
async def test_a_refusal_has_its_exit_code_and_one_line(error: str, code: int) -> None:
    async def script(stage: Stage) -> None:
        await stage.hears(m.Start)
        await stage.says(m.Error(error, "no", "field", "value", "a remedy"))
        await stage.connection.close(1008)

    async with staged_at(script) as url:
        command = await heliovox("say", "hello", "-o", "-", url=url)
        got, output, errors = await command.result()
    assert (got, output) == (code, "")
    assert errors.count("\n") == 1
    assert "a remedy" in errors


async def test_losing_the_node_is_no_connection(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        await stage.opens()
        stage.connection.transport.abort()

    (tmp_path / "a.raw").write_bytes(AUDIO)
    async with staged_at(script) as url:
        command = await heliovox("listen", str(tmp_path / "a.raw"), "--rate", "8000", url=url)
        code, _, errors = await command.result()
    assert (code, errors.count("\n")) == (3, 1)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["listen", "/nowhere.wav"], 1),
        (["listen", "--mic", "a.wav"], 2),
        (["listen"], 2),
        (["listen", "-", "--rate", "11025"], 2),
        (["listen", "-", "--url", "ftp://x", "--rate", "8000"], 2),
        (["say", "  "], 2),
        (["say", "hi", "--control", "c", "--url", "u"], 2),
        (["say", "hi", "-o", "-", "--json"], 2),
        (["say", "hi", "--key-file", "/nowhere"], 2),
        (["say", "hi", "-o", "/nowhere/o.wav"], 1),
        (["say", "hi", "-o", "/dev/null", "--url", "127.0.0.1:1"], 3),
    ],
)
def test_what_goes_wrong_here_is_said_in_one_line(
    arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code
    said = capsys.readouterr().err
    assert said.startswith("heliovox: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["listen", "--help"]])
def test_help_is_there(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 0
    assert "heliovox" in capsys.readouterr().out


def test_help_needs_nothing_but_the_sdk() -> None:
    """Neither numpy nor the node: `pip install heliovox` alone has to do."""
    source = "import sys, heliovox.cli.main as c; c.parser(); print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", source], text=True).split()
    assert not {"numpy", "edge_node", "shared", "soundfile", "sounddevice"} & set(loaded)


def test_importing_the_package_is_cheap() -> None:
    source = "import sys, heliovox; print(*sys.modules); heliovox.Client; heliovox.AudioFormat"
    loaded = subprocess.check_output([sys.executable, "-c", source], text=True).split()
    assert not {"websockets", "msgspec", "asyncio"} & set(loaded)


async def test_a_reader_that_leaves_while_words_come_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(whole_wav(AudioFormat(), AUDIO))
    read, write = os.pipe()

    async def script(stage: Stage) -> None:
        await stage.hears(m.Start)
        os.close(read)
        await stage.says(STARTED)
        await stage.connection.wait_closed()

    async with staged_at(script) as url:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "heliovox.cli", "listen", str(tmp_path / "a.wav")),
            *("--json", "--url", url),
            stdout=write,
            stderr=subprocess.PIPE,
        )
        os.close(write)
        async with asyncio.timeout(LIMIT_S):
            _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


def test_a_reader_that_leaves_early_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "heliovox.cli", "listen", "-", "--rate", "8000"],
        input=b"", stdout=write, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    os.close(write)
    assert b"Traceback" not in done.stderr
