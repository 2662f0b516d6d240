"""The demonstration: a node speaks, and hears itself and people over the wire, in real time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from heliovox.client.client import Client
from heliovox.client.errors import ClientError
from heliovox.local.calls import Heard, Recording, call
from heliovox.local.node_process import NodeFailed, RunningNode, node_process
from heliovox.local.scoring import HUMAN_MOST_WER, OWN_MOST_WER
from heliovox.local.screen import Screen, word_times
from heliovox.local.steps import CallReport, Step, judged
from heliovox.protocol.audio import AudioFormat
from shared.audio import Resampler, decode, encode

PCM_16K = AudioFormat()


@dataclass(frozen=True, slots=True)
class Plan:
    """What the demonstration will do: drawn before it begins."""

    sentences: Sequence[str]
    voices: Sequence[str | None]
    """Taken in turn; None is the node's default."""
    people: Sequence[Recording] = ()
    people_problem: str = ""
    """Why there are no people, where there should be some."""
    node_arguments: Sequence[str] = ()


class Demonstration:
    """Runs a plan; `steps` is what was done so far."""

    def __init__(self, plan: Plan, screen: Screen) -> None:
        self._plan, self._screen = plan, screen
        self.steps: list[Step] = []

    async def run(self) -> list[Step]:
        """Everything, node up to node down. What goes wrong is a step that is not ok."""
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        self._screen.title("A node starts")
        try:
            async with node_process(*self._plan.node_arguments) as node:
                took_ms = round((loop.time() - begun_s) * 1000)
                self._screen.line(f"{node.url}, ready after {took_ms / 1000:.1f} s")
                self.steps.append(Step("start", True, {"url": node.url, "took_ms": took_ms}))
                await self._converse(Client(node.url, node.key, proxy=None))
                await self._stop(node)
        except NodeFailed as error:
            self._screen.line(str(error))
            self.steps.append(Step("start", False, {"error": str(error)}))
        return self.steps

    async def _converse(self, client: Client) -> None:
        said: list[Recording] = []
        await self._attempt("say", lambda: self._say(client, said))
        if not said:
            return
        await self._attempt("listen pcm 16000", lambda: self._listen(client, "pcm 16000", said))
        telephone = [as_telephone(recording) for recording in said]
        await self._attempt(
            "listen mulaw 8000", lambda: self._listen(client, "mulaw 8000", telephone)
        )
        if self._plan.people or self._plan.people_problem:
            await self._attempt("listen people", lambda: self._listen_to_people(client))

    async def _attempt(self, name: str, work: Callable[[], Awaitable[Step]]) -> None:
        problem = ""
        try:
            self.steps.append(await work())
        except* ClientError as group:
            problem = str(_first(group))
        if problem:
            self.steps.append(Step(name, False, {"error": problem}))
            self._screen.line(f"failed: {problem}")

    async def _say(self, client: Client, said: list[Recording]) -> Step:
        self._screen.title(f"It says {len(self._plan.sentences)} sentences")
        texts = []
        for number, text in enumerate(self._plan.sentences):
            voice = self._plan.voices[number % len(self._plan.voices)]
            recording, first_audio_ms = await _said(client, text, voice)
            said.append(recording)
            self._screen.line(
                f"{recording.speaker}: {text}  ({recording.seconds:.1f} s, "
                f"first audio after {first_audio_ms:.0f} ms)"
            )
            texts.append(
                {
                    "text": text,
                    "voice": recording.speaker,
                    "seconds": round(recording.seconds, 3),
                    "first_audio_ms": first_audio_ms,
                }
            )
        return Step("say", all(recording.data for recording in said), {"texts": texts})

    async def _listen(self, client: Client, form: str, calls: Sequence[Recording]) -> Step:
        self._screen.title(f"It hears them, {len(calls)} calls at once, {form}, in real time")
        step = judged(
            f"listen {form}", await self._call_all(client, calls), OWN_MOST_WER, each=True
        )
        self._screen.verdict(step)
        self._screen.line(f"times in s: {word_times(step)}")
        return step

    async def _listen_to_people(self, client: Client) -> Step:
        self._screen.title("It hears people (AN4, never used for training)")
        if self._plan.people_problem:
            step = Step("listen people", ok=False, detail={"error": self._plan.people_problem})
            self._screen.verdict(step)
            return step
        calls = await self._call_all(client, self._plan.people)
        step = judged("listen people", calls, HUMAN_MOST_WER, each=False)
        self._screen.verdict(step)
        return step

    async def _call_all(self, client: Client, calls: Sequence[Recording]) -> list[CallReport]:
        shower = self._screen.board([recording.speaker for recording in calls])
        async with asyncio.TaskGroup() as group:
            tasks: list[asyncio.Task[Heard]] = [
                group.create_task(call(client, recording, shower(row)), name=f"call {row}")
                for row, recording in enumerate(calls)
            ]
        pairs = zip(calls, tasks, strict=True)
        return [CallReport.of(recording, task.result()) for recording, task in pairs]

    async def _stop(self, node: RunningNode) -> None:
        code = await node.stop()
        self.steps.append(Step("stop", code == 0, {"exit_code": code}))


async def _said(client: Client, text: str, voice: str | None) -> tuple[Recording, float]:
    loop = asyncio.get_running_loop()
    async with client.session("synthesis", voice=voice, output=PCM_16K) as session:
        begun_s, first_s, data = loop.time(), 0.0, b""
        async for piece in session.say(text):
            first_s = first_s or loop.time()
            data += piece
        speaker = session.started.voice or ""
    return Recording(speaker, text, PCM_16K, data), round((first_s - begun_s) * 1000, 1)


def as_telephone(recording: Recording) -> Recording:
    """The same speech as a telephone line carries it."""
    line = AudioFormat.telephone()
    resampler = Resampler(recording.audio.sample_rate, line.sample_rate)
    samples = decode(recording.audio, recording.data)
    parts = (resampler.push(samples), resampler.finish())
    return replace(recording, audio=line, data=b"".join(encode(line, part) for part in parts))


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
