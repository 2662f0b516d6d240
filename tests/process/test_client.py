"""The SDK, the command line and the document's own client against the real node."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest

from edge_node.stt.scripted import script_audio
from heliovox.client import AudioOut, Client, Refused, Unauthorised
from heliovox.client.files import whole_wav
from heliovox.local.node_process import RunningNode, node_process
from heliovox.protocol import messages as m
from heliovox.protocol.audio import AudioFormat

pytestmark = [pytest.mark.process, pytest.mark.anyio]
LIMIT_S = 30.0
DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def node() -> AsyncIterator[RunningNode]:
    async with node_process("--recogniser", "scripted", "--max-streams", "4") as running:
        yield running


@pytest.fixture
def client(node: RunningNode) -> Client:
    return Client(node.url, node.key, proxy=None)


def audio_of(text: str) -> bytes:
    return (script_audio(text) * 32767).astype(np.int16).tobytes()


async def test_the_same_words_come_back(client: Client) -> None:
    async with client.session() as session, asyncio.timeout(LIMIT_S):
        await session.send(audio_of("good morning "))
        await session.flush("turn")
        await session.marker("here")
        await session.finish()
        events = [event async for event in session]
    finals = [event for event in events if isinstance(event, m.Final)]
    assert [final.text for final in finals] == ["good morning"]
    assert any(isinstance(event, m.Flushed) and event.id == "turn" for event in events)
    assert any(isinstance(event, m.MarkerReached) and event.id == "here" for event in events)
    assert isinstance(events[-1], m.Ended)
    assert session.machine.acknowledged == len(finals)


async def test_acknowledged_audio_is_released(client: Client) -> None:
    """The client forgets what it need not send again."""
    async with client.session() as session, asyncio.timeout(LIMIT_S):
        await session.send(audio_of("good morning "))
        await session.flush()
        async for event in session:
            if isinstance(event, m.Progress) and event.released_sample == event.received_sample:
                break
        assert session.machine.kept.since(session.machine.kept.from_sample) == b""


async def test_a_conversation_says_and_hears(client: Client) -> None:
    async with client.session("conversation") as session, asyncio.timeout(LIMIT_S):
        async for piece in session.say("hello there"):
            await session.send(piece)
        await session.finish()
        assert [e.text async for e in session if isinstance(e, m.Final)] == ["hello there"]


async def test_several_texts_wait_for_each_other(client: Client) -> None:
    async with client.session("synthesis") as session, asyncio.timeout(LIMIT_S):
        ids = [await session.speak(text) for text in ("one", "two", "three")]
        await session.finish()
        said: list[str] = []
        async for event in session:
            if isinstance(event, AudioOut) and event.id not in said:
                said.append(event.id)
    assert said == ids


async def test_a_text_that_cannot_be_said_is_an_error_and_the_session_goes_on(
    client: Client,
) -> None:
    async with client.session("synthesis") as session, asyncio.timeout(LIMIT_S):
        with pytest.raises(Refused) as caught:
            _ = [piece async for piece in session.say("\N{SNOWMAN}")]
        assert caught.value.field == "text"
        assert b"".join([piece async for piece in session.say("hello")])


async def test_a_wrong_key_is_refused_in_the_handshake(node: RunningNode) -> None:
    with pytest.raises(Unauthorised):
        async with Client(node.url, "wrong", proxy=None).session():
            pass


async def test_no_key_at_all_is_refused(node: RunningNode) -> None:
    with pytest.raises(Unauthorised):
        async with Client(node.url, proxy=None).session():
            pass


async def test_what_the_node_does_not_have_is_refused_with_its_field(client: Client) -> None:
    with pytest.raises(Refused) as caught:
        async with client.session(language="tlh"):
            pass
    error = caught.value
    assert (error.code, error.field, error.value) == ("unsupported", "language", "tlh")
    assert error.remedy


async def test_a_full_node_is_refused_and_may_be_asked_again(client: Client) -> None:
    async with asyncio.timeout(LIMIT_S), AsyncExitStack() as open_sessions:
        for _ in range(4):
            await open_sessions.enter_async_context(client.session())
        with pytest.raises(Refused) as caught:
            await open_sessions.enter_async_context(client.session())
    assert (caught.value.code, caught.value.retryable) == ("node_full", True)
    assert "4 of 4" in caught.value.message


async def test_the_documents_client_works(node: RunningNode, tmp_path: Path) -> None:
    (tmp_path / "client.py").write_text(example_in("protocol.md"))
    (tmp_path / "audio.raw").write_bytes(audio_of("good morning "))
    url = node.url.replace("http", "ws")
    assert await output_of("client.py", url, node.key, "audio.raw", folder=tmp_path) == (
        b"good morning\n"
    )


async def test_the_documents_example_works(node: RunningNode, tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(example_in("client.md"))
    printed = await output_of("example.py", node.url, node.key, folder=tmp_path)
    assert printed.splitlines()[-1].startswith(b"final: hello there [0, ")


def example_in(document: str) -> str:
    text = (DOCS / document).read_text()
    return str(re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0])


async def test_the_command_says_and_listens(node: RunningNode, tmp_path: Path) -> None:
    where = ("--url", node.url, "--key", node.key)
    command = ("-m", "heliovox.cli")
    await output_of(*command, "say", "hello there", "-o", "a.wav", *where, folder=tmp_path)
    heard = await output_of(*command, "listen", "a.wav", *where, folder=tmp_path)
    assert heard == b"hello there\n"
    line = AudioFormat.telephone()
    form = ("--encoding", line.encoding, "--rate", str(line.sample_rate))
    await output_of(*command, "say", "good day", "-o", "b.wav", *form, *where, folder=tmp_path)
    assert (tmp_path / "b.wav").read_bytes()[20:22] == b"\7\0"
    heard = await output_of(*command, "listen", "b.wav", *where, folder=tmp_path)
    assert heard == b"good day\n"


async def test_a_long_recording_faster_than_real_time(client: Client, tmp_path: Path) -> None:
    """A sender that is held back loses nothing."""
    words = [f"{a}{b}" for a in "abcdefgh" for b in "ijklmnop"]
    (tmp_path / "a.wav").write_bytes(whole_wav(AudioFormat(), audio_of(" ".join(words) + " ")))
    audio = (tmp_path / "a.wav").read_bytes()[44:]
    async with client.session() as session, asyncio.timeout(LIMIT_S):

        async def send() -> None:
            for _ in range(3):
                await session.send(audio)
            await session.finish()

        async with asyncio.TaskGroup() as group:
            group.create_task(send())
            heard = [event.text async for event in session if isinstance(event, m.Final)]
    assert " ".join(heard).split() == words * 3


async def output_of(*arguments: str, folder: Path) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=folder, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(LIMIT_S):
        output, _ = await process.communicate()
    assert process.returncode == 0
    return output
