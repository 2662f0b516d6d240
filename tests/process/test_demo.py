"""The demonstration from end to end, with the scripted recogniser; and that it leaves nothing."""

import asyncio
import json
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

import edge_node.models
from heliovox.local.node_process import NodeFailed, node_process
from tests.support.world_process import answers

pytestmark = [pytest.mark.process, pytest.mark.anyio]
LIMIT_S = 115.0
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


async def result_of(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """The last line's object, of a demonstration that went well."""
    async with asyncio.timeout(LIMIT_S):
        output, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b""), output.decode()
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    assert result["ok"]
    return result


async def test_the_demonstration_tells_its_story() -> None:
    result = await result_of(await demo("--seed", "7", "--json"))
    steps = {step["name"]: step["detail"] for step in result["steps"]}
    assert list(steps) == [
        "world",
        "place and say",
        "listen pcm 16000",
        "listen mulaw 8000",
        "overflow",
        "refuse",
        "kill",
        "dark",
        "stop",
    ]
    callers = steps["place and say"]["callers"]
    assert [one["region"] for one in callers] == ["eu-central", "ap-south", "sa-east"]
    said = [one["text"] for one in callers]
    for name in ("listen pcm 16000", "listen mulaw 8000"):
        calls = steps[name]["calls"]
        assert [call["heard"] for call in calls] == said
        assert [call["route"]["region"] for call in calls] == ["eu-central", "ap-south", "sa-east"]
    assert steps["overflow"]["next"]["region"] == "eu-west"
    assert steps["refuse"]["refused"]["code"] == "no_room"
    assert steps["refuse"]["anywhere"]["region"] in {"ap-south", "sa-east"}
    assert steps["refuse"]["eu_only_sessions_in"] == ["eu-central", "eu-west"]
    assert (steps["kill"]["last_placed_there_ms"] or 0) <= 5000
    dark = steps["dark"]
    assert dark["live"]["heard"] == " ".join([said[0]] * dark["passes"])
    assert (dark["straight"]["heard"], dark["straight"]["route"]["decision"]) == (said[0], None)
    assert steps["stop"]["left"] == []


@pytest.mark.model
async def test_the_demonstration_passes_with_what_ships() -> None:
    """In real time, so it takes its minute; one seed of any."""
    if not all((EMBEDDED / name / "model.onnx").is_file() for name in SHIPPED):
        pytest.skip("the recogniser and the voices are not in this tree")
    _ = await result_of(await demo("--seed", "7", "--json", scripted=False))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_whatever_ends_it_the_world_is_taken_down(number: signal.Signals) -> None:
    process = await demo("--seed", "7")
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT_S):
        while not (found := re.search(rb"127\.0\.0\.1:(\d+)", await process.stdout.readline())):
            pass
        process.send_signal(number)
        _, errors = await process.communicate()
    assert (process.returncode, errors) == (130, b"")
    assert not answers(int(found[1]))


async def test_a_node_that_cannot_start_says_why() -> None:
    with pytest.raises(NodeFailed, match="no-such-model"):
        async with node_process("--recogniser", "no-such-model"):
            pass
