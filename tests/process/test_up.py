"""`heliovox up` as people run it: what it says, how it ends, and that nothing is left."""

import json
import os
import signal
import stat
from pathlib import Path

import pytest

from heliovox.local.world.leftovers import born
from tests.support.talk import wait_for
from tests.support.world_process import heliovox, up, world

pytestmark = [pytest.mark.process, pytest.mark.anyio]
ONE = ("--regions", "eu-central")
TWO = ("--regions", "eu-central,ap-south")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_world_is_announced_found_used_and_taken_down(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with world(home, *TWO) as running:
        said = running.ready
        assert said["event"] == "ready"
        assert [node["region"] for node in said["nodes"]] == ["eu-central", "ap-south"]
        assert [bus["name"] for bus in said["buses"]] == ["centre", "eu-central", "ap-south"]
        assert said["streams_per_node"] == 2
        for name in ("key_file", "operator_key_file", "bus_operator_seed_file"):
            assert mode(said[name]) == 0o600
        assert json.loads((home / "world.json").read_text()) == {
            key: value for key, value in said.items() if key != "event"
        }
        await _is_used(home, tmp_path)
        code, output, errors = await running.end(signal.SIGINT)
        assert (code, output, errors) == (0, "", "")
        assert running.left() == []


def mode(path: str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


async def _is_used(home: Path, folder: Path) -> None:
    code, output, errors = await heliovox(home, "nodes", "--json")
    states = {one["node"]: one["state"] for one in map(json.loads, output.splitlines())}
    assert (code, states) == (0, {"eu-central-1": "ready", "ap-south-1": "ready"}), errors
    file = str(folder / "a.wav")
    paris = ("--from", "48.85,2.35", "--policy", "eu-only")
    assert (await heliovox(home, "say", "good day", "-o", file, *paris))[0] == 0
    code, output, errors = await heliovox(home, "listen", file, *paris, "--json")
    assert code == 0, errors
    events = [json.loads(line) for line in output.splitlines()]
    assert (events[0]["type"], events[0]["region"]) == ("placed", "eu-central")
    assert [one["text"] for one in events if one["type"] == "final"] == ["good day"]
    for name in (events[0]["decision"], events[0]["session"]):
        code, output, errors = await heliovox(home, "why", name)
        assert code == 0, errors
        assert "eu-central-1" in output
        assert "ap-south-1 (ap-south)" in output
    node = json.loads((home / "world.json").read_text())["nodes"][1]["url"]
    code, output, errors = await heliovox(home, "listen", file, *paris, "--url", node, "--json")
    events = [json.loads(line) for line in output.splitlines()]
    assert (code, events[0]["type"], events[1]["region"]) == (0, "redirect", "eu-central"), errors
    assert (await heliovox(home, "listen", file))[:2] == (0, "good day\n"), "from nowhere"
    code, output, _ = await heliovox(home, "regions")
    assert (code, "me-central" in output) == (0, True)
    mumbai = ("--from", "19.08,72.88", "--policy", "ksa-only")
    code, _, errors = await heliovox(home, "listen", file, *mumbai)
    assert (code, "not_allowed" in errors) == (5, True)


@pytest.mark.parametrize("victim", ["bus eu-central", "control", "eu-central-1"])
async def test_when_a_part_dies_it_is_named_and_the_rest_is_taken_down(
    tmp_path: Path, victim: str
) -> None:
    async with world(tmp_path / "home", *ONE) as running:
        os.kill(running.pids[victim], signal.SIGKILL)
        code, _, errors = await running.ended()
        assert code == 1
        name = victim.replace("bus", "the message bus")
        assert f"{name} ended (killed by SIGKILL)" in errors
        assert running.left() == []


async def test_worlds_live_side_by_side_and_one_folder_holds_one(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with world(home, *ONE) as first:
        second = await up(home, *ONE)
        _, errors = await second.communicate()
        assert second.returncode == 2
        assert str(first.process.pid) in errors.decode()
        beside = home / "worlds" / "two"
        async with world(home, *ONE, "--name", "two", folder=beside) as other:
            assert other.ready["folder"] == str(beside)
            assert not set(other.ports) & set(first.ports)
            assert (await heliovox(beside, "nodes"))[0] == 0
            assert (await other.end())[0] == 0
            assert other.left() == []
        assert (await heliovox(home, "nodes"))[0] == 0, "the first one lives on"


async def test_a_world_that_is_killed_is_cleaned_up_behind(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with world(home, *ONE) as killed:
        node = killed.pids["eu-central-1"]
        os.kill(node, signal.SIGSTOP)  # it will not hear that it should end
        killed.process.kill()
        await killed.process.wait()
        assert (await heliovox(home, "nodes", "--json"))[0] == 2, "no world, and no key"
        assert born(node)
        async with world(home, *ONE) as following:
            assert not born(node)
            assert (await following.end())[0] == 0
            assert following.left() == []
    wait_for(lambda: not [pid for pid in killed.pids.values() if born(pid)])


async def test_ctrl_c_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    process = await up(tmp_path / "home", *ONE)
    assert process.stdout is not None
    assert b"message buses" in await process.stdout.readline()
    processes = tmp_path / "home" / "run" / "processes.json"
    pids = [one["pid"] for one in json.loads(processes.read_text())]
    process.send_signal(signal.SIGTERM)
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (130, b"")
    assert not [pid for pid in pids if born(pid)]
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["logs"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--regions", "atlantis"], "atlantis"),
        (["--regions", ","], "--regions"),
        (["--streams-per-node", "0"], "--streams-per-node"),
        (["--port", "70000"], "--port"),
        (["--name", "A/b"], "--name"),
        (["--regions-file", "/nowhere.yaml"], "/nowhere.yaml"),
    ],
)
async def test_what_cannot_be_is_said_at_once(
    tmp_path: Path, arguments: list[str], named: str
) -> None:
    process = await up(tmp_path / "home", *arguments)
    output, errors = await process.communicate()
    assert process.returncode == 2, errors
    assert (output, named in errors.decode()) == (b"", True)
    assert b"Traceback" not in errors
