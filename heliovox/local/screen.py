"""Where a demonstration is watched: a terminal, a pipe, or nobody."""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from heliovox.client.events import Event
from heliovox.local.board import Board
from heliovox.local.steps import Step
from heliovox.protocol import messages as m

_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Screen:
    """Everything that a person sees goes through `write`."""

    write: Callable[[str], object]
    terminal: bool = False
    columns: int = 80

    def title(self, text: str) -> None:
        """A new part begins."""
        self.write(f"\n{_BOLD}{text}{_PLAIN}\n" if self.terminal else f"\n{text}\n")

    def line(self, text: str, indent: int = 2) -> None:
        """Something to know. A terminal gets no word cut in two."""
        first, rest = " " * indent, " " * (indent + 4)
        if self.terminal:
            wrapper = textwrap.TextWrapper(
                max(self.columns, 40),
                initial_indent=first,
                subsequent_indent=rest,
                break_on_hyphens=False,
            )
            text = wrapper.fill(text)
            self.write(f"{text}\n")
        else:
            self.write(f"{first}{text}\n")

    def board(self, names: list[str]) -> Callable[[int], Callable[[Event], None]]:
        """A line for each call; the function that shows the events of call number i."""
        width = max(map(len, names), default=0)
        board = Board(self.columns, self.terminal, [name.ljust(width) for name in names])

        def shower(row: int) -> Callable[[Event], None]:
            finals: list[str] = []

            def show(event: Event) -> None:
                if isinstance(event, m.Partial):
                    self.write(board.say(row, " ".join([*finals, event.text])))
                elif isinstance(event, m.Final):
                    finals.append(event.text)
                elif isinstance(event, m.Ended):
                    self.write(board.say(row, " ".join(finals), final=True))

            return show

        return shower

    def verdict(self, step: Step) -> None:
        """How the calls of a step went."""
        detail = step.detail
        if "calls" not in detail:
            self.line(f"failed: {detail.get('error', 'no reason known')}")
            return
        for call in detail["calls"]:
            if call["errors"]:
                self.line(f"said:  {call['said']}")
                self.line(f"heard: {call['heard'] or '(nothing)'}")
        right = f"{detail['words'] - detail['errors']} of {detail['words']} words right"
        self.line(f"{'ok' if step.ok else 'NOT OK'}: {right}; {_latencies(detail['calls'])}")


def word_times(step: Step) -> str:
    """The words of a step's first call, with their times."""
    words = step.detail["calls"][0]["word_times"]
    return " ".join(
        f"{w['text']} {w['start_ms'] / 1000:.2f}-{w['end_ms'] / 1000:.2f}" for w in words
    )


def _latencies(calls: list[dict[str, object]]) -> str:
    parts = []
    for key, what in (
        ("first_word_after_ms", "first word shown after"),
        ("final_after_end_ms", "final after the end:"),
    ):
        times = [value for call in calls if isinstance(value := call[key], float)]
        parts.append(f"{what} {min(times):.0f} to {max(times):.0f} ms" if times else f"no {key}")
    return ", ".join(parts)
