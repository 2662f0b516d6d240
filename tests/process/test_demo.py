"""The demonstration from end to end, with the scripted recogniser; and that it leaves nothing."""

import asyncio
import json
import re
import signal
import socket
import sys
from pathlib import Path

import pytest

import edge_node.models
from heliovox.local.node_process import NodeFailed, node_process

pytestmark = [pytest.mark.process, pytest.mark.anyio]
LIMIT_S = 60.0
EMBEDDED = Path(edge_node.models.__file__).parent / "embedded"
SHIPPED = ("stt-en-telephone", "voice-en-female", "voice-en-male", "voice-en-fallback")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def demo(*arguments: str, scripted: bool = True) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "heliovox.cli", "demo", *arguments),
        *(["--scripted"] if scripted else []),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_the_demonstration_hears_what_it_said() -> None:
    process = await demo("--seed", "7", "--json")
    async with asyncio.timeout(LIMIT_S):
        output, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
    result = json.loads(output.splitlines()[-1])
    names = [step["name"] for step in result["steps"]]
    assert names == ["start", "say", "listen pcm 16000", "listen mulaw 8000", "stop"]
    assert result["ok"]
    said = [text["text"] for text in result["steps"][1]["detail"]["texts"]]
    for step in result["steps"][2:4]:
        assert [call["heard"] for call in step["detail"]["calls"]] == said


@pytest.mark.model
async def test_the_demonstration_passes_with_what_ships() -> None:
    """In real time, so it takes its half minute; one seed of any."""
    if not all((EMBEDDED / name / "model.onnx").is_file() for name in SHIPPED):
        pytest.skip("the recogniser and the voices are not in this tree")
    process = await demo("--seed", "7", "--json", scripted=False)
    async with asyncio.timeout(2 * LIMIT_S):
        output, errors = await process.communicate()
    steps = json.loads(output.splitlines()[-1])["steps"]
    assert (process.returncode, errors) == (0, b""), steps


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_whatever_ends_it_the_node_is_taken_down(number: signal.Signals) -> None:
    process = await demo("--seed", "7")
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT_S):
        while not (found := re.search(rb"127\.0\.0\.1:(\d+)", await process.stdout.readline())):
            pass
        process.send_signal(number)
        _, errors = await process.communicate()
    assert (process.returncode, errors) == (130, b"")
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(found[1]))) != 0


async def test_a_node_that_cannot_start_says_why() -> None:
    with pytest.raises(NodeFailed, match="no-such-model"):
        async with node_process("--recogniser", "no-such-model"):
            pass
