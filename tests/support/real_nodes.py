"""Real nodes with the scripted recogniser, as members of a `Centre`'s fleet."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from tests.support.running_centre import ROOT, Centre

READY_S = 60.0


@dataclass
class RealNode:
    """One that runs."""

    name: str
    region: str
    url: str
    process: Process
    log: Path

    def tell(self, number: int) -> None:
        """Sends a signal."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)


@asynccontextmanager
async def real_node(
    centre: Centre,
    region: str,
    name: str,
    seats: int,
    environment: Mapping[str, str] = MappingProxyType({}),
    **settings: Any,
) -> AsyncIterator[RealNode]:
    """Ready, which takes a control plane; killed at the latest at the end."""
    folder = centre.folder / f"node-{name}"
    folder.mkdir(exist_ok=True)  # the same node may start again
    given = {
        "node_id": name,
        "region": region,
        "recogniser": "scripted",
        "speech": "none",
        "state_dir": str(folder / "state"),
        "port": 0,
        "max_streams": seats,
        "bus": {
            "url": centre.leaves[region].url,
            "seed_file": str(centre.seed_file(f"{region}-{name}")),
        },
        "centre": {"public_key_file": str(centre.folder / "signing.pub.pem")},
        "capacity": {"calibrate": False, "cache_dir": str(centre.folder / "cache")},
    }
    config, log = folder / "edge.yaml", folder / "log"
    config.write_text(yaml.safe_dump(given | settings))
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "edge_node", "serve", "--json", "--config", str(config)),
            cwd=ROOT,
            env={
                **os.environ,  # noqa: TID251
                "PYTHONPATH": str(ROOT),
                "PYTHONUNBUFFERED": "1",
                **environment,
            },
            stdout=PIPE,
            stderr=errors,
        )
    node = RealNode(name, region, "", process, log)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(READY_S):
            line = await process.stdout.readline()
        assert line, log.read_text()
        node.url = str(json.loads(line)["url"])
        yield node
    finally:
        node.tell(signal.SIGCONT)
        if process.returncode is None:
            process.kill()
        await process.wait()
