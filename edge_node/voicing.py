"""The texts of one session as they are said, one at a time, each by a task of its own."""

import asyncio
from collections.abc import Callable

from edge_node.protocols.peer import Peer
from edge_node.sessions.events import Say, Spoke
from edge_node.sessions.opening import Opening
from edge_node.tts.saying import Saying, Speaker
from heliovox.protocol.messages import Speak
from shared.tasks import Tasks


class Voicing:
    """Says what the session's machine wants said, and counts it.

    Args:
        peer: hears it.
        speaker: says it.
        tasks: own what goes on.
        can_write: set while the caller keeps up.
        spoke: told how each text ended.
    """

    def __init__(
        self,
        peer: Peer,
        speaker: Speaker,
        tasks: Tasks,
        can_write: asyncio.Event,
        spoke: Callable[[Spoke], None],
    ) -> None:
        self._peer, self._speaker, self._tasks = peer, speaker, tasks
        self._can_write, self._spoke = can_write, spoke
        self._whole = 0
        self._so_far: tuple[Speak, Saying] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def characters(self) -> int:
        """Of all texts that have sounded, or begun to."""
        return self._whole + self._being_said()

    def say(self, command: Say, opening: Opening, session: str) -> None:
        """Begins a text. The machine lets no two sound at once."""
        speak = command.speak
        saying = Saying(self._peer, self._speaker, self._can_write, opening)
        work = self._tasks.begin(saying.say(speak), name=f"say {session}")
        work.add_done_callback(lambda _: self._said(speak, saying))
        self._task, self._so_far = work, (speak, saying)

    def hush(self) -> None:
        """Ends the text that sounds, if one does."""
        if self._task is not None:
            self._task.cancel()

    def _said(self, speak: Speak, saying: Saying) -> None:
        """However it ended: a task cancelled before its first step runs no line of itself."""
        self._whole += self._being_said()
        self._task = self._so_far = None
        self._spoke(Spoke(speak.id, saying.samples, cancelled=not saying.whole))

    def _being_said(self) -> int:
        """Characters of a text that has begun to sound."""
        if self._so_far is None or not self._so_far[1].samples:
            return 0
        return len(self._so_far[0].text)
