"""Frames to messages: fragments put together, sizes and encodings checked (pure)."""

from enum import Enum

from shared.errors import BrokenFrame, InvalidMessage, TooBig, VoiceError


class Kind(Enum):
    """What a message, or its first fragment, is."""

    TEXT = "text"
    AUDIO = "binary"


class Assembly:
    """One connection's unfinished message. Equal frames, equal messages."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._kind: Kind | None = None
        self._parts: list[bytes] = []
        self._size_bytes = 0

    @property
    def unfinished(self) -> bool:
        """Whether fragments wait for their rest."""
        return self._kind is not None

    def begin(self, kind: Kind, payload: bytes, *, final: bool) -> tuple[Kind, bytes] | None:
        """A text or binary frame: the whole message if `final`, else its first fragment.

        Raises:
            VoiceError: in the middle of another message, too big, or text that is not UTF-8.
        """
        if self._kind is not None:
            raise self._drop(
                BrokenFrame(
                    f"a {kind.value} frame inside a fragmented {self._kind.value} message",
                    field="opcode",
                    remedy="finish the message first",
                )
            )
        self._kind = kind
        return self.carry_on(payload, final=final)

    def carry_on(self, payload: bytes, *, final: bool) -> tuple[Kind, bytes] | None:
        """A continuation frame; the whole message if `final`.

        Raises:
            VoiceError: nothing to continue, too big, or text that is not UTF-8.
        """
        if (kind := self._kind) is None:
            raise BrokenFrame(
                "a continuation frame, but no message to continue",
                field="opcode",
                remedy="begin with a text or binary frame",
            )
        self._size_bytes += len(payload)
        if self._size_bytes > self._limit_bytes:
            raise self._drop(too_big(self._size_bytes, self._limit_bytes))
        self._parts.append(payload)
        if not final:
            return None
        message = b"".join(self._parts)
        self._clear()
        if kind is Kind.TEXT:
            check_utf8(message)
        return kind, message

    def _drop(self, error: VoiceError) -> VoiceError:
        self._clear()
        return error

    def _clear(self) -> None:
        self._kind, self._parts, self._size_bytes = None, [], 0


def check_utf8(text: bytes) -> None:
    """Raises InvalidMessage where a text message is not UTF-8."""
    if text.isascii():
        return
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise InvalidMessage(
            "a text message that is not UTF-8",
            field="byte",
            value=error.start,
            remedy="encode JSON as UTF-8; send audio as binary messages",
        ) from error


def too_big(size_bytes: int, limit_bytes: int) -> TooBig:
    """The refusal of a message above the limit."""
    return TooBig(
        f"a message of at least {size_bytes} bytes; at most {limit_bytes} are allowed",
        field="message",
        value=size_bytes,
        remedy="split audio over several messages, even in the middle of a sample",
    )
