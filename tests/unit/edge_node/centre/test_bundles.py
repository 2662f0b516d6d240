"""When a node has the rules of now, with a centre that fails, lags or is late. Virtual time."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_node.centre.bundles import Bundles
from shared.bundle import SKEW_S, sign_bundle
from shared.clock import SystemClock
from shared.errors import BusFailed
from shared.exchange import Bundle, News
from tests.support.fleet import WORLD
from tests.support.virtual_time import run_virtually

NOW_S = 1_800_000_000


class Asked:
    """A centre that answers as written, then with the last answer; None is silence."""

    def __init__(self, *answers: tuple[str, int] | None) -> None:
        self.answers, self.times_s = list(answers), list[float]()
        self.key = Ed25519PrivateKey.generate()

    async def __call__(self) -> bytes:
        self.times_s.append(asyncio.get_running_loop().time())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            raise BusFailed("nobody answers")
        version, iat = answer
        bundle = Bundle(version, "p", WORLD, (), ("eu-central",), iat, iat + 86_400)
        return sign_bundle(bundle, self.key)


class Node:
    def __init__(self, asked: Asked, folder: Path) -> None:
        self.asked, self.told = asked, 0
        self.bundles = Bundles(
            asked, folder / "bundle", "eu-central", asked.key.public_key(), SystemClock(),
            lambda: NOW_S + asyncio.get_running_loop().time(), self._told,
        )  # fmt: skip

    def _told(self) -> None:
        self.told += 1

    @property
    def version(self) -> str | None:
        return self.bundles.bundle and self.bundles.bundle.version

    async def hears(self, version: str) -> None:
        await self.bundles.news("", msgspec.json.encode(News(version, "p")))

    async def after(self, seconds: float) -> str | None:
        await asyncio.sleep(seconds)
        return self.version


@pytest.fixture(autouse=True)
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(work: Callable[..., Any], *values: Any) -> Any:
        return work(*values)

    monkeypatch.setattr(asyncio, "to_thread", at_once)


def run(node: Node, story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def go() -> None:
        running = asyncio.create_task(node.bundles.run(asyncio.Event()))  # noqa: TID251
        try:
            await story()
        finally:
            running.cancel()

    run_virtually(go())


def test_news_that_cannot_be_followed_at_once_is_followed_soon(tmp_path: Path) -> None:
    """Here a caller was once served away from home for half a minute."""
    node = Node(Asked(("1", NOW_S), None, ("2", NOW_S + 5)), tmp_path)

    async def story() -> None:
        assert await node.after(5) == "1"
        await node.hears("2")
        assert await node.after(0.5) == "1"
        assert await node.after(1.0) == "2"
        assert node.told == 2

    run(node, story)


def test_a_control_plane_that_lags_is_asked_again(tmp_path: Path) -> None:
    node = Node(Asked(("1", NOW_S), ("1", NOW_S + 5), ("2", NOW_S + 5)), tmp_path)

    async def story() -> None:
        await asyncio.sleep(5)
        await node.hears("2")
        assert await node.after(1.5) == "2"

    run(node, story)


def test_what_nobody_has_is_not_asked_for_for_ever(tmp_path: Path) -> None:
    node = Node(Asked(("1", NOW_S)), tmp_path)

    async def story() -> None:
        await asyncio.sleep(5)
        await node.hears("2")
        await asyncio.sleep(200)
        assert 10 <= len(node.asked.times_s) <= 20
        assert node.told == 1

    run(node, story)


def test_what_it_has_already_costs_no_question(tmp_path: Path) -> None:
    node = Node(Asked(("1", NOW_S)), tmp_path)

    async def story() -> None:
        await asyncio.sleep(5)
        for _ in range(10):
            await node.hears("1")
            await asyncio.sleep(0.1)
        assert node.asked.times_s == [0.0]

    run(node, story)


@pytest.mark.parametrize(
    ("behind_s", "announced", "taken"),
    [(5, "2", True), (5, "3", False), (SKEW_S + 1, "2", False)],
)
def test_an_older_bundle_counts_if_it_was_announced(
    tmp_path: Path, behind_s: float, announced: str, taken: bool
) -> None:
    """The clock of a control plane may be behind that of another."""
    node = Node(Asked(("1", NOW_S), ("2", int(NOW_S - behind_s))), tmp_path)

    async def story() -> None:
        await asyncio.sleep(5)
        await node.hears(announced)
        assert await node.after(0.5) == ("2" if taken else "1")

    run(node, story)


def test_a_node_that_starts_before_the_bus_is_there_does_not_rest(tmp_path: Path) -> None:
    """It has rules of an earlier start, which may be old."""
    asked = Asked(("1", NOW_S), None, ("2", NOW_S))
    first = Node(asked, tmp_path)

    async def once() -> None:
        assert await first.after(1) == "1"

    run(first, once)
    again = Node(asked, tmp_path)

    async def story() -> None:
        assert await again.after(0.5) == "1"
        assert await again.after(1.0) == "2"

    run(again, story)
