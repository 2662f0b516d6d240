"""A whole node and its ledger: nothing is heard before the disk says so."""

import asyncio
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge_node.ledger.segments import Segments, read_segment
from shared.pseudonyms import ensure_pseudonym_key
from tests.support.fleet import (
    WORLD,
    FleetNode,
    fleet_node,
    memory_centre,
    opened,
    spoken_words,
    until,
)
from tests.support.talk import spoken

pytestmark = pytest.mark.anyio
SPOKEN = spoken("hello" + " " * 30)
STRICT = WORLD + "  strict: {allow: [everywhere], ledger: required}\n"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def records(folder: Path) -> list[dict[str, Any]]:
    found = [read_segment(one)[1] for one in Segments(folder / "state" / "ledger", 0).segments()]
    return [json.loads(line) for lines in found for line in lines]


def kinds(folder: Path) -> list[str]:
    return [record["what"] for record in records(folder)]


def sessions(node: FleetNode) -> Any:
    assert node.node.member is not None
    return node.node.member.ledger.sessions


async def closed(folder: Path) -> None:
    await until(lambda: kinds(folder)[-1] == "closed")


async def test_nothing_is_heard_before_the_disk_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, may_write, real = threading.Event(), threading.Event(), os.fdatasync

    def slow(descriptor: int) -> None:
        asked.set()
        may_write.wait(10)
        real(descriptor)

    async with memory_centre(k=("strict",)) as centre:
        centre.world = STRICT
        async with fleet_node(centre, tmp_path) as node:
            with monkeypatch.context() as patched:
                patched.setattr(os, "fdatasync", slow)
                async with node.call(key="k") as call:
                    words = asyncio.get_running_loop().create_task(said(call))
                    await until(asked.is_set)
                    assert not node.node.live
                    assert kinds(tmp_path) == ["boot", "opened"]
                    assert not words.done()
                    may_write.set()
                    assert await words == ["hello"]
            await closed(tmp_path)
    assert kinds(tmp_path) == ["boot", "opened", "heard", "counted", "closed"]


async def said(call: Any) -> list[str]:
    started = await opened(call)
    assert started["type"] == "started"
    return await spoken_words(call, "hello   ")


def full(_: int) -> None:
    raise OSError(28, "No space left on device")


async def test_a_full_disk_refuses_who_needs_a_ledger_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with memory_centre(k=("strict", "eu-only")) as centre:
        centre.world = STRICT
        async with fleet_node(centre, tmp_path) as node:
            with monkeypatch.context() as patched:
                patched.setattr(os, "fdatasync", full)
                async with node.call(key="k") as call:
                    refused = await opened(call, policy="strict")
                assert refused["code"] == "ledger_unavailable"
                assert refused["message"].endswith("cannot be written: No space left on device")
                assert (refused["field"], refused["value"]) == ("policy", "strict")
                assert refused["retryable"]
                async with node.call(key="k") as call:
                    assert (await opened(call, policy="eu-only"))["type"] == "started"
                    assert await spoken_words(call, "hello   ") == ["hello"]
                told = sessions(node)
                assert (told.refused, told.undurable, len(told)) == (1, 1, 0)
                assert node.node.admission.taken == 0
            await until(lambda: node.node.member and not node.node.member.ledger.book.failing)
            async with node.call(key="k") as call:
                assert (await opened(call, policy="strict"))["type"] == "started"
            await closed(tmp_path)
    reasons = [one["reason"] for one in records(tmp_path) if one["what"] == "closed"]
    assert reasons == ["refused", "finish", "link_lost"]


async def test_texts_over_http_are_heard_by_a_speaker(tmp_path: Path) -> None:
    async with memory_centre(k=("eu-only",)) as centre, fleet_node(centre, tmp_path) as node:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(
                f"{node.url}/v1/speech",
                json={"text": "good morning"},
                headers={"Authorization": "Bearer k"},
                timeout=30,
            )
        assert answer.status_code == 200
        await closed(tmp_path)
        note = await centre.note("ended")
    _, began, heard, counted, over = records(tmp_path)
    assert (began["role"], began["session"], began["rate"]) == ("speaker", note.session, 0)
    assert (heard["unit"], heard["from"], heard["to"]) == ("characters", 0, len("good morning"))
    assert counted["to"] == over["characters"] == len("good morning")


async def test_who_speaks_is_written_down_by_a_pseudonym(tmp_path: Path) -> None:
    key_file, caller = tmp_path / "region.key", "+49 30 1234567"
    expected = ensure_pseudonym_key(key_file).pseudonym("tenant-k", caller)
    content = {"pseudonym_key_file": str(key_file)}
    async with (
        memory_centre(k=("eu-only",)) as centre,
        fleet_node(centre, tmp_path, content=content) as node,
    ):
        async with node.call(key="k") as call:
            await opened(call, caller=caller)
        await closed(tmp_path)
    [began] = [one for one in records(tmp_path) if one["what"] == "opened"]
    assert began["caller"] == expected
    assert caller not in str(records(tmp_path))


async def test_what_was_acknowledged_stands_in_the_last_record(tmp_path: Path) -> None:
    async with memory_centre(k=("eu-only",)) as centre, fleet_node(centre, tmp_path) as node:
        async with node.call(key="k") as call:
            await opened(call)
            await call.send(SPOKEN)
            final = await first(call, lambda one: one["type"] == "final")
            await call.send(json.dumps({"type": "ack", "seq": final["seq"]}))
            await call.send('{"type":"finish"}')
            ended = await first(call, lambda one: one["type"] == "ended")
        await closed(tmp_path)
    over = records(tmp_path)[-1]
    assert over["acked_seq"] == final["seq"]
    assert final["through_sample"] <= over["acked_sample"] <= over["total"]  # silence behind it
    assert over["total"] * 1000 // 16_000 == ended["audio_ms"]


async def first(call: Any, wanted: Callable[[Any], bool]) -> Any:
    while True:
        message = json.loads(await call.recv())
        if wanted(message):
            return message
