"""Going on at another node in the middle of a session: positions and numbers go on as they were."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from heliovox.client.errors import ConnectionLost
from heliovox.client.keeping import KeptAudio
from heliovox.protocol import messages as m

_Shifted = TypeVar("_Shifted", bound=msgspec.Struct)
Wish = m.Flush | m.Marker
_COUNTED: Mapping[type, Mapping[str, str]] = {
    m.SpeechStarted: {"at_sample": "sample"},
    m.Partial: {"from_sample": "sample", "through_sample": "sample"},
    m.Final: {"from_sample": "sample", "through_sample": "sample", "seq": "seq"},
    m.Progress: {"received_sample": "sample", "released_sample": "sample"},
    m.Flushed: {"through_sample": "sample", "seq": "seq"},
    m.MarkerReached: {"at_sample": "sample"},
    m.Ended: {"finals": "seq", "audio_ms": "ms"},
    m.Redirect: {"from_sample": "sample"},
    m.Word: {"start_ms": "ms", "end_ms": "ms"},
}
"""What messages count from the beginning of the session with their node."""


@dataclass(frozen=True, slots=True)
class Base:
    """Where the present node's part of the session begins, as the application counts."""

    sample: int = 0
    ms: int = 0
    seq: int = 0
    """Finals of earlier nodes."""

    def shifted(self, said: _Shifted) -> _Shifted:
        """What a node said, as the application counts."""
        counted = _COUNTED.get(type(said))
        if counted is None or self == _FIRST:
            return said
        fields: dict[str, Any] = {
            name: value + getattr(self, of)
            for name, of in counted.items()
            if (value := getattr(said, name)) is not None
        }
        if isinstance(said, (m.Partial, m.Final)):
            fields["words"] = tuple(map(self.shifted, said.words))
        return msgspec.structs.replace(said, **fields)


_FIRST = Base()


class Bases:
    """By position: behind audio that no node was sent, the application has counted further.

    A node says finals again that it said before, and they are where they were.
    """

    def __init__(self, base: Base = _FIRST) -> None:
        self._by_sample = [(0, base)]
        """The node's own sample from which each holds."""

    @property
    def now(self) -> Base:
        """The latest."""
        return self._by_sample[-1][1]

    def at(self, sample: int) -> Base:
        """For what begins at a sample of the node's."""
        return next((b for start, b in reversed(self._by_sample) if start <= sample), self.now)

    def shifted(self, said: _Shifted) -> _Shifted:
        """What a node said, as the application counts."""
        if isinstance(said, m.Final) and len(self._by_sample) > 1:
            return self.at(max(0, said.through_sample - 1)).shifted(said)
        return self.now.shifted(said)

    def node_sample(self, sample: int) -> int:
        """What the node calls a sample of the application's."""
        for start, base in reversed(self._by_sample):
            if sample >= start + base.sample:
                return sample - base.sample
        return sample - self._by_sample[0][1].sample

    def skipped(self, at: int, base: Base) -> None:
        """From the node's sample on, another one holds."""
        self._by_sample = [(start, b) for start, b in self._by_sample if start < at or start == 0]
        self._by_sample.append((at, base))


class Again:
    """What has to be said once more to a node that the session moved to."""

    def __init__(self) -> None:
        self._unanswered: list[tuple[int, Wish]] = []
        """Each with the byte of audio behind which it was said."""
        self._due: list[tuple[int, Wish]] = []
        self._byte = 0
        self._finished = False
        self._catching_up = False

    @property
    def behind(self) -> bool:
        """Whether the present node was not told all yet."""
        return self._catching_up

    @property
    def unanswered(self) -> int:
        """Flushes and markers whose answers are due."""
        return len(self._unanswered)

    def wished(self, byte: int, wish: Wish) -> None:
        """A flush or a marker is said behind a byte of the audio."""
        self._unanswered.append((byte, wish))
        if self._catching_up:
            self._due.append((byte, wish))

    def answered(self, answer: m.Flushed | m.MarkerReached) -> int | None:
        """One came back: the byte of audio behind which it was said, None if it was not."""
        kind = m.Flush if isinstance(answer, m.Flushed) else m.Marker
        wish = kind(answer.id)
        for at, (byte, one) in enumerate(self._unanswered):
            if one == wish:
                del self._unanswered[at]
                return byte
        return None

    def all_answered(self) -> list[tuple[int, Wish]]:
        """The session is over, and all that was asked came about: what was not answered, in order.

        Each with the byte of audio behind which it was said.
        """
        rest, self._unanswered = self._unanswered, []
        return rest

    def lost(self) -> None:
        """There is no node to say anything to."""
        self._catching_up = True

    def moved(self, byte: int) -> None:
        """Audio from a byte on, and all that was not answered, was not heard."""
        self._due, self._byte = list(self._unanswered), byte
        self._finished, self._catching_up = False, True

    def unsaid(
        self, kept: KeptAudio, *, finish: bool, piece_bytes: int
    ) -> list[bytes | m.ClientMessage]:
        """What is to be said now, in order; nothing once the node has all.

        Args:
            kept: the audio.
            finish: whether the application has nothing more to say.
            piece_bytes: at most in a message.

        Raises:
            ConnectionLost: audio that no node has heard is forgotten.
        """
        try:
            audio = kept.since_byte(self._byte)
        except LookupError as error:
            raise ConnectionLost(None, f"it cannot be moved: {error}") from error
        said: list[bytes | m.ClientMessage] = []
        for byte, wish in self._due:
            until = max(0, byte - self._byte)
            said += [*_pieces(audio[:until], piece_bytes), wish]
            audio, self._byte = audio[until:], self._byte + until
        said += _pieces(audio, piece_bytes)
        self._due, self._byte = [], self._byte + len(audio)
        if not said and finish and not self._finished:
            self._finished = True
            said.append(m.Finish())
        self._catching_up = bool(said)
        return said


def _pieces(audio: bytes, piece_bytes: int) -> list[bytes]:
    return [audio[at : at + piece_bytes] for at in range(0, len(audio), piece_bytes)]
