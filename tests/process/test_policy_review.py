"""What a real control plane recorded, exported from real servers and simulated with."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from shared.regions.file import default_world_path
from tests.support.running_centre import ROOT, Centre, Plane, until

pytestmark = pytest.mark.process

SHIPPED = default_world_path().read_text()
NO_GERMANY = SHIPPED.replace(
    "  eu-only:\n    allow: [eu]\n", "  eu-only:\n    allow: [eu]\n    forbid: [germany]\n"
).replace("  ksa: [sa]\n", "  ksa: [sa]\n  germany: [de]\n")


async def command(*arguments: str | Path) -> tuple[int, str, str]:
    """Its exit code, what it said, and what it complained of."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *map(str, arguments), cwd=ROOT, stdout=PIPE, stderr=PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},  # noqa: TID251 as the others have it
    )  # fmt: skip
    async with asyncio.timeout(60):
        said, complained = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode(), complained.decode()


async def recorded(centre: Centre, plane: Plane) -> None:
    """Two nodes of two seats, five callers in Paris, one of whom leaves, one finds no room."""
    nodes = [
        await centre.node("eu-central", "c-1", seats=2),
        await centre.node("eu-west", "w-1", seats=2),
    ]

    async def seen() -> bool:
        return {"c-1", "w-1"} <= (await plane.nodes()).keys()

    await until(seen, 60.0)
    placed = [(await plane.place()).json() for _ in range(5)]
    assert [one.get("node") for one in placed] == ["c-1", "c-1", "w-1", "w-1", None]
    for one, node in zip(placed[:2], nodes[:1] * 2, strict=True):
        await node.note("started", one["session"])
    await nodes[0].note("ended", placed[0]["session"])

    async def kept() -> bool:
        return await plane.metric("notes_total") >= 3

    await until(kept, 60.0)
    for node in nodes:
        await node.leave()


async def everything(folder: Path) -> None:
    centre = await Centre(folder / "centre").start()
    try:
        plane = await centre.plane()
        await recorded(centre, plane)
        log, config = folder / "day.hvlog", plane.folder / "control.yaml"
        assert await plane.stop() == 0  # what still waited to be recorded is there by then
        export = ("control_plane", "records", "export", "--config", config, "--out", log)
        code, said, complained = await command(*export, "--json")
        assert (code, complained) == (0, "")
        end = json.loads(said)
        assert (end["decisions"], end["planes"], end["unreadable"]) == (5, ["p-1"], 0)
        assert end["notes"] == 3
        assert log.stat().st_mode & 0o077 == 0
        code, _, complained = await command(*export)
        assert code == 1
        assert "there is such a file already" in complained
    finally:
        await centre.stop()
    await reviewed(folder, log)


async def reviewed(folder: Path, log: Path) -> None:
    simulate = ("heliovox.cli", "policy", "simulate", log, "--json", "--policy")
    code, said, complained = await command(
        *simulate, default_world_path(), "--max-moved-share", "0"
    )
    assert (code, complained) == (0, ""), complained
    same = json.loads(said)
    assert (same["decisions"], same["decided_again"], same["skipped"]) == (5, 0, 0)
    assert (same["total"]["sessions"], same["total"]["placed_before"]) == (5, 4)
    assert (same["total"]["moved"], same["total"]["refused"]) == (0, 0)
    proposed = folder / "no-germany.yaml"
    proposed.write_text(NO_GERMANY)
    code, said, complained = await command(*simulate, proposed, "--max-refused-share", "0.1")
    assert code == 1
    assert "tenant caller (2 of 2 sessions)" in complained
    total = json.loads(said)["total"]
    assert (total["moved"], total["refused"], total["placed_after"]) == (2, 2, 2)
    code, said, _ = await command("heliovox.cli", "policy", "diff", default_world_path(), proposed)
    assert code == 1
    assert "lost    eu-central  (by eu-only.forbid)" in said


def test_a_change_is_reviewed_on_what_was_really_decided(tmp_path: Path) -> None:
    asyncio.run(asyncio.wait_for(everything(tmp_path), 120))
