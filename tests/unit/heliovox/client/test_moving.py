"""A session that goes on at another node says everything that was not heard, once and in order."""

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliovox.client import Client
from heliovox.client.keeping import KeptAudio
from heliovox.client.moving import Again, Base
from heliovox.protocol import messages as m
from heliovox.protocol.audio import AudioFormat
from tests.support.fleet import fleet_node, memory_centre
from tests.support.talk import spoken
from tests.unit.edge_node.test_old_rules import taken_over
from tests.unit.edge_node.test_ousted import forbidding


@given(
    pieces=st.lists(st.binary(min_size=1, max_size=5), max_size=8),
    wish_after=st.lists(st.integers(0, 8), max_size=4),
    from_sample=st.integers(0, 10),
    finish=st.booleans(),
    piece_bytes=st.integers(1, 7),
)
def test_all_that_was_not_heard_is_said_again_in_its_order(
    pieces: list[bytes],
    wish_after: list[int],
    from_sample: int,
    finish: bool,
    piece_bytes: int,
) -> None:
    """Audio from a sample on, with each wish behind the audio that it was said behind."""
    kept, again = KeptAudio(AudioFormat()), Again()
    byte = min(from_sample * 2, sum(map(len, pieces)) // 2 * 2)
    due: list[bytes | m.ClientMessage] = []
    for at, piece in enumerate([b"", *pieces]):
        before = kept.sent_bytes
        kept.add(piece)
        due += [piece[max(0, byte - before) :]]
        for name in [n for n, after in enumerate(wish_after) if after == at]:
            again.wished(kept.sent_bytes, m.Flush(str(name)))
            due.append(m.Flush(str(name)))
    again.moved(byte)
    said: list[bytes | m.ClientMessage] = []
    while batch := again.unsaid(kept, finish=finish, piece_bytes=piece_bytes):
        said += batch
    assert all(len(one) <= piece_bytes for one in said if isinstance(one, bytes))
    assert joined(said) == joined([*due, *([m.Finish()] if finish else [])])
    assert again.unsaid(kept, finish=finish, piece_bytes=piece_bytes) == []


def joined(said: list[bytes | m.ClientMessage]) -> list[bytes | m.ClientMessage]:
    """With audio that stands together as one."""
    found: list[bytes | m.ClientMessage] = []
    for one in said:
        last = found[-1] if found else None
        if isinstance(one, bytes) and isinstance(last, bytes):
            found[-1] = last + one
        elif one != b"":
            found.append(one)
    return found


def test_what_was_answered_is_not_asked_again() -> None:
    kept, again = KeptAudio(AudioFormat()), Again()
    for name in "abc":
        again.wished(0, m.Marker(name))
    again.answered(m.MarkerReached("b", 0))
    again.moved(0)
    assert again.unsaid(kept, finish=False, piece_bytes=9) == [m.Marker("a"), m.Marker("c")]


def test_positions_times_and_numbers_go_on_as_they_were() -> None:
    base = Base(sample=16_000, ms=1000, seq=3)
    final = m.Final(1, 0, 320, "a", (m.Word("a", 10, 20, 1.0),), "endpoint")
    assert base.shifted(final) == m.Final(
        4, 16_000, 16_320, "a", (m.Word("a", 1010, 1020, 1.0),), "endpoint"
    )
    assert base.shifted(m.Progress(5, 4)) == m.Progress(16_005, 16_004)
    assert base.shifted(m.Flushed("f", 2, 7)) == m.Flushed("f", 5, 16_007)
    assert base.shifted(m.Ended("s", "finish", 2, 500)) == m.Ended("s", "finish", 5, 1500)
    assert base.shifted(m.Draining(7)) == m.Draining(7)
    first = m.Redirect("u", "t", "n", "r", "d", "not_home")
    assert base.shifted(first) == first


TEXT = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"


@pytest.mark.anyio
@pytest.mark.parametrize("letters_before", [17, 30, 61])
async def test_a_caller_hears_all_his_words_though_he_is_moved(
    tmp_path: Path, letters_before: int
) -> None:
    """He speaks on while his node's region is forbidden; he asks for flushes before and after."""
    async with (
        memory_centre(k=("*",)) as centre,
        fleet_node(centre, tmp_path / "1") as node,
        fleet_node(centre, tmp_path / "2", node_id="n-2", region="eu-west") as other,
    ):
        promised, _ = await centre.reserve(other)
        centre.answer = lambda _: centre.placed(other, promised)
        finals: list[m.Final] = []
        flushed: list[m.Flushed] = []
        moved = asyncio.Event()

        async with Client(node.url, "k").session(policy="eu-only") as session:

            async def speak() -> None:
                await session.send(spoken(TEXT[:letters_before]))
                if letters_before == 30:
                    await session.flush("before")
                change = asyncio.ensure_future(  # noqa: TID251
                    taken_over(node, centre, forbidding("move"))
                )
                for at in range(letters_before, len(TEXT)):
                    await session.send(spoken(TEXT[at]))
                    await asyncio.sleep(0)
                await change
                await moved.wait()
                await session.send(spoken("   "))
                await session.flush("after")
                await session.finish()

            speaking = asyncio.ensure_future(speak())  # noqa: TID251
            async for event in session:
                match event:
                    case m.Final():
                        finals.append(event)
                    case m.Flushed():
                        flushed.append(event)
                    case m.Redirect():
                        moved.set()
            await speaking
            assert session.started.node == "n-2"
            assert [one.node for one in session.redirects] == ["n-2"]
    said = " ".join(final.text for final in finals)
    assert said.replace(" ", "") == TEXT.replace(" ", "")
    if letters_before != 30:  # a flush ends an utterance where it stands, in a word's middle here
        assert said == TEXT
    assert [final.seq for final in finals] == list(range(1, len(finals) + 1))
    assert all(one.through_sample <= two.from_sample for one, two in pairwise(finals))
    assert [one.id for one in flushed] == (["before"] * (letters_before == 30)) + ["after"]
    assert flushed[-1].through_sample == len(spoken(TEXT + "   ")) // 2


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
