"""Texts that a node was asked to say, and what becomes of them when it is lost. Pure."""

from dataclasses import dataclass

from heliovox.client.events import AudioOut, Event
from heliovox.protocol import messages as m
from heliovox.protocol.audio import AudioFormat

INTERRUPTED = "interrupted"
"""The code of the warning that tells of a text whose rest is lost."""
_WHY = "the connection was lost while this text was being said"


@dataclass(slots=True)
class _Text:
    speak: m.Speak
    begun: bool = False
    cancelled: bool = False
    heard_bytes: int = 0


class Texts:
    """Those that are not over yet, in the order in which they were asked for."""

    def __init__(self, output: AudioFormat) -> None:
        self._width = output.bytes_per_sample
        self._open: list[_Text] = []
        self._due: list[m.Speak | m.Cancel] = []
        """For the next node, which was not told of them."""

    def asked(self, speak: m.Speak, *, behind: bool) -> None:
        """One more; `behind`: the next node has still to be told what it missed."""
        self._open.append(_Text(speak))
        if behind:
            self._due.append(speak)

    def cancelled(self, cancel: m.Cancel, *, behind: bool) -> None:
        """The application does not want it any more."""
        if (text := self._named(cancel.id)) is not None:
            text.cancelled = True
        if behind:
            self._due.append(cancel)

    def heard(self, event: Event) -> None:
        """What came of a text."""
        if not isinstance(event, (m.Speaking, AudioOut, m.Spoken)):
            return
        if (text := self._named(event.id)) is None:
            return
        if isinstance(event, m.Spoken):
            self._open.remove(text)
            return
        text.begun = True
        if isinstance(event, AudioOut):
            text.heard_bytes += len(event.data)

    def moved(self) -> list[Event]:
        """The session goes on elsewhere: texts that had begun are over, the others are due again.

        None is said again from its beginning: whoever listens has heard some of it.
        """
        over = [text for text in self._open if text.begun or text.cancelled]
        self._open = [text for text in self._open if not (text.begun or text.cancelled)]
        self._due = [text.speak for text in self._open]
        return [event for text in over for event in self._cut_off(text)]

    def unsaid(self) -> list[m.ClientMessage]:
        """What is to be said of texts now; nothing once the node was told all."""
        due, self._due = self._due, []
        return list(due)

    def _cut_off(self, text: _Text) -> list[Event]:
        spoken = m.Spoken(text.speak.id, text.heard_bytes // self._width, cancelled=True)
        if text.cancelled:
            return [spoken]
        return [m.Notice(INTERRUPTED, _WHY, remedy="ask for it again", id=spoken.id), spoken]

    def _named(self, speak_id: str) -> _Text | None:
        return next((text for text in self._open if text.speak.id == speak_id), None)
