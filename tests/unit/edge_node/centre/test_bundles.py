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
LIFE_S = 86_400


class LoopClock(SystemClock):
    """Virtual, too."""

    def now_s(self) -> float:
        return asyncio.get_running_loop().time()


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
        return self.signed(*answer)

    def signed(self, version: str, iat: int) -> bytes:
        bundle = Bundle(version, "p", WORLD, (), ("eu-central",), iat, iat + LIFE_S)
        return sign_bundle(bundle, self.key)


class Node:
    def __init__(self, asked: Asked, folder: Path) -> None:
        self.asked, self.folder, self.told = asked, folder, 0
        self.set_forward_s = 0.0

    async def start(self) -> None:
        self.bundles = Bundles(
            self.asked, self.folder / "bundle", "eu-central", self.asked.key.public_key(),
            LoopClock(), self.wall_s, self._told,
        )  # fmt: skip
        await self.bundles.run(asyncio.Event())

    def wall_s(self) -> float:
        return NOW_S + asyncio.get_running_loop().time() + self.set_forward_s

    version_then: str | None = None
    check_then: str | None = None
    clock_then: str | None = None
    left_then_s = 0.0

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
        running = asyncio.create_task(node.start())  # noqa: TID251
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


DAY_AGO = NOW_S - LIFE_S


def started(asked: Asked, folder: Path, limit_s: float = 1.0, **more: float) -> Node:
    """A node that has run for a while, and stopped."""
    node = Node(asked, folder)
    node.set_forward_s = more.get("forward_s", 0.0)

    async def story() -> None:
        await asyncio.sleep(limit_s)
        node.version_then = node.version
        node.check_then, node.clock_then = node.bundles.check(), node.bundles.check_clock()
        node.left_then_s = node.bundles.held.left_s

    run(node, story)
    return node


def again(asked: Asked, *answers: tuple[str, int] | None) -> Asked:
    """The same centre, later."""
    later = Asked(*answers)
    later.key = asked.key
    return later


@pytest.mark.parametrize("without", ["bundle", "bundle.seen", None])
def test_a_replayed_bundle_does_not_pass_a_node_that_starts_again(
    tmp_path: Path, without: str | None
) -> None:
    """Whichever one file is lost, what was seen is known from the other."""
    asked = Asked(("1", NOW_S - 5000), ("2", NOW_S))
    assert started(asked, tmp_path, 70.0).version_then == "2"
    if without is not None:
        (tmp_path / without).unlink()
    node = started(again(asked, ("1", NOW_S - 5000)), tmp_path)
    assert node.version_then == (None if without == "bundle" else "2")
    assert node.bundles.refused >= 1
    assert "downgraded" in node.bundles._refused_because
    assert started(again(asked, ("3", NOW_S + 60)), tmp_path, 61.0).version_then == "3"


def test_what_is_seen_is_its_owners_alone(tmp_path: Path) -> None:
    started(Asked(("1", NOW_S)), tmp_path)
    assert [path.stat().st_mode & 0o777 for path in sorted(tmp_path.iterdir())] == [0o600, 0o600]


def test_a_mark_that_cannot_be_read_is_said_and_the_bundle_counts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked = Asked(("1", NOW_S))
    started(asked, tmp_path)
    (tmp_path / "bundle.seen").write_bytes(b"\xff{")
    assert started(again(asked, ("0", NOW_S - 100)), tmp_path).version_then == "1"
    assert "cannot be read" in caplog.text


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda asked: asked.signed("2", NOW_S - LIFE_S + 59), "expired"),
        (lambda asked: asked.signed("2", NOW_S + 70), "from the future"),
        (lambda _: Asked(("2", NOW_S)).signed("2", NOW_S + 1), "not a bundle of this"),
        (lambda asked: asked.signed("2", NOW_S + 1)[:-8] + b"AAAAAAAA", "not a bundle of this"),
        (lambda _: b"", "not a bundle of this"),
        (lambda _: b"\xff\x00.", "not a bundle of this"),
        (lambda asked: asked.signed("2", NOW_S - 61), "downgraded"),
    ],
)
def test_what_is_no_newer_bundle_of_the_centre_is_refused(
    tmp_path: Path, answer: Callable[[Asked], bytes], why: str
) -> None:
    asked = Asked(("1", NOW_S))
    node = Node(asked, tmp_path)

    async def story() -> None:
        await asyncio.sleep(0.5)
        token = answer(asked)

        async def evil() -> bytes:
            return token

        node.bundles._fetch = evil
        await node.hears("2")
        admits_by = await node.after(0.5)
        assert admits_by == (None if "future" in why else "1")
        assert node.bundles.refused == 1
        assert why in node.bundles._refused_because

    run(node, story)


def test_a_bundle_that_expired_in_the_dark_is_held_but_not_in_date(tmp_path: Path) -> None:
    asked = Asked(("1", NOW_S - LIFE_S + 100))
    started(asked, tmp_path)
    node = started(again(asked, None), tmp_path, 41.0)
    assert node.version_then is None
    assert node.bundles._rules is not None
    assert -2 < node.left_then_s < 0
    assert "expired" in (node.check_then or "")


def test_a_clock_that_is_set_back_makes_no_rules_young_again(tmp_path: Path) -> None:
    """Neither while the node runs nor while it is off."""
    asked = Asked(("1", NOW_S - LIFE_S + 200), None)
    node = Node(asked, tmp_path)

    async def story() -> None:
        assert await node.after(139) == "1"
        node.set_forward_s = -3600.0
        assert await node.after(2) is None

    run(node, story)
    later = started(again(asked, None), tmp_path, 1.0, forward_s=-3600.0)
    assert later.version_then == "1"  # it has seen no more than a minute less
    assert later.left_then_s < 61


def test_a_clock_that_was_wrong_is_forgiven_once_the_centre_is_there(tmp_path: Path) -> None:
    """Ahead by years it makes all rules old; put right, the next bundle counts."""
    asked = Asked(("1", NOW_S), None, ("1", NOW_S + 100))
    node = Node(asked, tmp_path)

    async def story() -> None:
        assert await node.after(29) == "1"
        node.set_forward_s = 1e8
        assert await node.after(2) is None
        node.set_forward_s = 0.0
        assert await node.after(90) == "1"

    run(node, story)
    assert started(again(asked, None), tmp_path, 130.0).version_then == "1"


@pytest.mark.parametrize(
    ("skew_s", "version", "side"),
    [(-30, "1", None), (30, "1", None), (120, "1", "ahead"), (-120, None, "behind")],
)
def test_clocks_that_are_too_far_apart_are_told(
    tmp_path: Path, skew_s: float, version: str | None, side: str | None
) -> None:
    """A node that is behind takes nothing from the future; one ahead may be refused by tickets."""
    node = started(Asked(("1", NOW_S - 10)), tmp_path, forward_s=skew_s)
    assert node.version_then == version
    said = node.clock_then
    assert (said is None) if side is None else side in (said or "")
    assert (node.check_then is None) == (version is not None)


def test_who_cannot_read_the_newest_rules_lets_nobody_in_by_older_ones(tmp_path: Path) -> None:
    """A clock that falls behind would keep a node at rules that were changed long ago."""
    asked = Asked(("1", NOW_S - 10), ("2", NOW_S + 30), ("2", NOW_S + 60))
    node = Node(asked, tmp_path)

    async def story() -> None:
        assert await node.after(1) == "1"
        node.set_forward_s = -120.0
        assert await node.after(35) is None
        assert "behind" in (node.bundles.check() or "")
        assert node.bundles.held.superseded is not None
        node.set_forward_s = 0.0
        assert await node.after(35) == "2"
        assert node.bundles.check() is None

    run(node, story)
