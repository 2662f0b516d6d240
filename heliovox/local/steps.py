"""What a demonstration did, step by step, for a program to read. Pure."""

from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec

from heliovox.local.calls import Heard, Recording
from heliovox.local.scoring import CALL_MOST_WER, Score, score, total


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried."""

    name: str
    ok: bool
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallReport:
    """A call, judged."""

    recording: Recording
    heard: Heard
    score: Score

    @classmethod
    def of(cls, recording: Recording, heard: Heard) -> "CallReport":
        """Compares what was said with what was heard."""
        return cls(recording, heard, score(recording.text, heard.transcript))

    def detail(self) -> dict[str, Any]:
        """The call as JSON has it."""
        return {
            "speaker": self.recording.speaker,
            "said": self.recording.text,
            "heard": self.heard.transcript,
            "errors": self.score.errors,
            "words": self.score.words,
            "seconds": round(self.recording.seconds, 3),
            "partials": self.heard.partials,
            "first_partial_ms": self.heard.first_partial_ms,
            "first_word_after_ms": self.heard.first_word_after_ms,
            "final_after_end_ms": self.heard.final_after_end_ms,
            "route": asdict(self.heard.route),
            "word_times": [msgspec.to_builtins(word) for word in self.heard.words],
        }


def judged(name: str, calls: list[CallReport], most_wer: float, *, each: bool) -> Step:
    """Calls of one form as a step.

    Args:
        name: the step's.
        calls: what happened.
        most_wer: what all of them together may reach.
        each: whether every single call is judged too.
    """
    whole = total(call.score for call in calls)
    ok = whole.wer <= most_wer and not (each and any(c.score.wer > CALL_MOST_WER for c in calls))
    detail = {
        "wer": round(whole.wer, 4),
        "most_wer": most_wer,
        "errors": whole.errors,
        "words": whole.words,
        "calls": [call.detail() for call in calls],
    }
    return Step(name, ok and bool(calls), detail)


def as_json(steps: list[Step]) -> str:
    """The last line of `heliovox demo --json`."""
    whole = {"ok": bool(steps) and all(s.ok for s in steps), "steps": [asdict(s) for s in steps]}
    return msgspec.json.encode(whole).decode()
