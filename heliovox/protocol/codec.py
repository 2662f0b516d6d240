"""Messages to JSON and back. Unknown fields are ignored, so that both sides may grow."""

import re

import msgspec

from heliovox.protocol.messages import ClientMessage, ServerMessage

_encoder = msgspec.json.Encoder()
_client_decoder = msgspec.json.Decoder[ClientMessage](ClientMessage)
_server_decoder = msgspec.json.Decoder[ServerMessage](ServerMessage)


class Undecodable(ValueError):
    """A text message that is no message of the protocol; `str()` says what is wrong where."""

    @property
    def field(self) -> str:
        """The field that is wrong or missing, or `message` for the whole."""
        found = _FIELD.search(str(self))
        return (found[1] or found[2]) if found else "message"


_FIELD = re.compile(r" - at `\$\.([^`]+)`$|missing required field `([^`]+)`$")


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
        raise Undecodable(str(error)) from error
    return message


def decode_server(text: bytes | str) -> ServerMessage:
    """What a node said.

    Raises:
        Undecodable: not JSON, not a known type, or a field of the wrong type.
    """
    try:
        message: ServerMessage = _server_decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Undecodable(str(error)) from error
    return message
