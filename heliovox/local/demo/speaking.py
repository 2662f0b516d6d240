"""Callers are placed, their nodes say a sentence each, and they speak it back in real time."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from heliovox.client.client import Client
from heliovox.local.calls import Heard, Recording, call
from heliovox.local.demo.plan import CALLERS, Caller
from heliovox.local.demo.stage import Stage, as_detail
from heliovox.local.scoring import HUMAN_MOST_WER, OWN_MOST_WER
from heliovox.local.screen import word_times
from heliovox.local.steps import CallReport, Step, judged
from heliovox.local.voices import Said, as_telephone, said

Calls = Sequence[tuple[Caller, Recording]]
PCM, MULAW = "listen pcm 16000", "listen mulaw 8000"


class Speaking:
    """Keeps what was said and heard: later parts say it again."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.said: dict[str, Said] = {}
        """By the caller's name."""
        self.heard: dict[str, str] = {}
        """Of the calls in PCM."""

    async def place_and_say(self) -> Step:
        """Every caller's own node says a sentence."""
        stage, plan = self._stage, self._stage.plan
        stage.screen.title("Three callers. Each is placed near him, and his node says a sentence")
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(
                    said(
                        stage.client,
                        plan.sentences[number % len(plan.sentences)],
                        plan.voices[number % len(plan.voices)],
                        caller.where,
                    ),
                    name=f"say {caller.name}",
                )
                for number, caller in enumerate(CALLERS)
            ]
        details = []
        for caller, task in zip(CALLERS, tasks, strict=True):
            self.said[caller.name] = task.result()
            details.append(await self._told(caller, task.result()))
        ok = all(one["region"] == one["expected"] and one["seconds"] > 0 for one in details)
        return Step("place and say", ok, {"callers": details})

    async def _told(self, caller: Caller, one: Said) -> dict[str, Any]:
        route, recording = one.route, one.recording
        why = await self._stage.told(route.decision)
        screen = self._stage.screen
        screen.line(
            f"{caller.name} ({caller.policy}) -> {route.region}, {route.rtt_ms or 0:.0f} ms"
        )
        screen.line(why, indent=6)
        screen.line(
            f"{recording.speaker}: {recording.text}  ({recording.seconds:.1f} s, "
            f"first audio after {one.first_audio_ms:.0f} ms)",
            indent=6,
        )
        return {
            "caller": caller.name,
            "policy": caller.policy,
            "expected": caller.region,
            **as_detail(route),
            "why": why,
            "text": recording.text,
            "voice": recording.speaker,
            "seconds": round(recording.seconds, 3),
            "first_audio_ms": one.first_audio_ms,
        }

    async def listen(self) -> list[Step]:
        """Everybody speaks at once, on two lines each."""
        stage = self._stage
        stage.screen.title(
            "They speak, all at once, in real time: on a good line (PCM, 16 kHz) and a telephone"
        )
        pcm = [(c, replace(self.said[c.name].recording, speaker=c.name)) for c in CALLERS]
        mulaw = [
            (c, replace(as_telephone(recording), speaker=f"{c.name} by telephone"))
            for c, recording in pcm
        ]
        reports = await self._call_all(stage.client, [*pcm, *mulaw])
        self.heard = {c.name: r.heard.transcript for (c, _), r in zip(pcm, reports, strict=False)}
        steps = []
        for name, calls in ((PCM, reports[: len(pcm)]), (MULAW, reports[len(pcm) :])):
            step = judged(name, calls, OWN_MOST_WER, each=True)
            near = all(
                report.heard.route.region == caller.region
                for report, caller in zip(calls, CALLERS, strict=True)
            )
            steps.append(replace(step, ok=step.ok and near))
            stage.screen.verdict(steps[-1])
        stage.screen.line(f"times in s: {word_times(steps[0])}")
        return steps

    async def listen_to_people(self) -> Step:
        """Recordings of strangers, where there are any."""
        stage, plan = self._stage, self._stage.plan
        stage.screen.title("People are understood (AN4, never used for training)")
        if plan.people_problem:
            step = Step("listen people", ok=False, detail={"error": plan.people_problem})
        else:
            calls = [
                (CALLERS[number % len(CALLERS)], recording)
                for number, recording in enumerate(plan.people)
            ]
            reports = await self._call_all(stage.client, calls)
            step = judged("listen people", reports, HUMAN_MOST_WER, each=False)
        stage.screen.verdict(step)
        return step

    async def _call_all(self, client: Client, calls: Calls) -> list[CallReport]:
        shower = self._stage.screen.board([recording.speaker for _, recording in calls])
        async with asyncio.TaskGroup() as group:
            tasks: list[asyncio.Task[Heard]] = [
                group.create_task(
                    call(client, recording, shower(row), caller.where), name=f"call {row}"
                )
                for row, (caller, recording) in enumerate(calls)
            ]
        pairs = zip(calls, tasks, strict=True)
        return [CallReport.of(recording, task.result()) for (_, recording), task in pairs]
