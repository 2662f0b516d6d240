"""Messages to JSON and back. Unknown fields are ignored, so that both sides may grow."""

import re

import msgspec

from heliovox.protocol.messages import ClientMessage, ServerMessage

_encoder = msgspec.json.Encoder()
_client_decoder = msgspec.json.Decoder[ClientMessage](ClientMessage)
_server_decoder = msgspec.json.Decoder[ServerMessage](ServerMessage)


class Undecodable(ValueError):
    """A text message that is no message of the protocol; `str()` says what is wrong where."""

    def __init__(self, what: str, text: bytes | str) -> None:
        super().__init__(what)
        self._text = text

    @property
    def field(self) -> str:
        """The field that is wrong or missing, or `message` for the whole."""
        found = (_INSIDE.search(str(self)), _MISSING.search(str(self)))
        return ".".join(one[1] for one in found if one) or "message"

    @property
    def value(self) -> str | None:
        """What stands in the field, None where nothing does, and for what is not to be repeated."""
        if self.field in _SECRET:
            return None
        try:
            found = msgspec.json.decode(self._text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return None
        for name in self.field.split("."):
            if not isinstance(found, dict) or name not in found:
                return None
            found = found[name]
        return found if isinstance(found, str) else msgspec.json.encode(found).decode()


_INSIDE = re.compile(r" - at `\$\.([^`]+)`$")
_MISSING = re.compile(r"missing required field `([^`]+)`")
_SECRET = ("key", "ticket", "caller", "resume", "resume.token")


def encode(message: ClientMessage | ServerMessage) -> bytes:
    """A message as UTF-8 JSON."""
    return _encoder.encode(message)


def decode_client(text: bytes | str) -> ClientMessage:
    """What a caller said.

    Raises:
        Undecodable: not JSON, not a known type, or a field of the wrong type.
    """
    try:
        message: ClientMessage = _client_decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Undecodable(str(error), text) from error
    return message


def decode_server(text: bytes | str) -> ServerMessage:
    """What a node said.

    Raises:
        Undecodable: not JSON, not a known type, or a field of the wrong type.
    """
    try:
        message: ServerMessage = _server_decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Undecodable(str(error), text) from error
    return message
