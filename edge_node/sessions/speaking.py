"""Texts waiting to be said, one after another."""

from collections import deque

from edge_node.sessions.events import Command, Hush, Say, Tell
from edge_node.sessions.limits import Limits
from heliovox.protocol.messages import Notice, Speak, Spoken


class SpeakQueue:
    """The first text is being said, the others wait."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._texts: deque[Speak] = deque()

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, speak: Speak) -> list[Command]:
        """Takes a text, or says why not: the session goes on. Raises TooBig for too long an id."""
        self._limits.check_id(speak.id)
        if any(text.id == speak.id for text in self._texts):  # whose `spoken` is still to come
            return [Tell(_in_use(speak.id))]
        if (problem := self._problem(speak)) is not None:
            return [Tell(problem), Tell(Spoken(speak.id, 0, cancelled=True))]
        self._texts.append(speak)
        return [Say(speak)] if len(self._texts) == 1 else []

    def over(self, spoken: Spoken) -> list[Command]:
        """The first text is said or cancelled; the next one begins."""
        if not self._texts or self._texts[0].id != spoken.id:
            return []
        self._texts.popleft()
        following: list[Command] = [Say(self._texts[0])] if self._texts else []
        return [Tell(spoken), *following]

    def cancel(self, speak_id: str) -> list[Command]:
        """Stops a text, spoken or waiting; one that is over already is no error.

        Raises TooBig for an id too long to be that of a text.
        """
        self._limits.check_id(speak_id)
        if self._texts and self._texts[0].id == speak_id:
            return [Hush(speak_id)]
        waiting = [text for text in self._texts if text.id == speak_id]
        for text in waiting:
            self._texts.remove(text)
        return [Tell(Spoken(text.id, 0, cancelled=True)) for text in waiting]

    def _problem(self, speak: Speak) -> Notice | None:
        limits = self._limits
        if len(self._texts) >= limits.speaks:
            return Notice(
                "too_big",
                f"{len(self._texts)} texts wait already",
                "id",
                speak.id,
                "wait for `spoken`",
                speak.id,
            )
        if len(speak.text) > limits.text_characters:
            return Notice(
                "too_big",
                f"the text has {len(speak.text)} characters",
                "text",
                str(len(speak.text)),
                f"send at most {limits.text_characters} at a time",
                speak.id,
            )
        return None


def _in_use(speak_id: str) -> Notice:
    return Notice("invalid_message", "the id is in use", "id", speak_id, "use a new id", speak_id)
