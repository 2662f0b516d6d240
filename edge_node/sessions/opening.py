"""Whether a session may open as asked: checked against what the node offers."""

from dataclasses import dataclass, field

from heliovox.protocol.audio import AudioFormat
from heliovox.protocol.messages import KINDS, Start
from shared.audio import check_format
from shared.errors import InvalidMessage, Unsupported

ENDPOINT_SILENCE_MS = (200, 5000)
NO_GRAPH = "none"
CALLER_CHARACTERS = 128


@dataclass(frozen=True, slots=True)
class Offer:
    """What a node can do."""

    node: str
    languages: tuple[str, ...]
    models: tuple[str, ...]
    """Recognisers; the first is the default."""
    voices: tuple[str, ...]
    """The first is the default."""
    chunk_ms: int
    lookahead_ms: int
    graphs: tuple[str, ...] = ()
    """What sessions may expect to hear."""
    graph: str = ""
    """The default of those, "" for none."""
    region: str | None = None
    """Where the node stands, if it is one of a fleet."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A session as it opens: every choice made."""

    kind: str
    language: str
    model: str | None
    voice: str | None
    audio: AudioFormat
    output: AudioFormat
    partials: bool
    endpoint_silence_ms: int
    graph: str = ""
    """The decoding graph, "" for none."""
    caller: str | None = field(default=None, repr=False)
    """Who speaks, as the application calls him: content, and in no log."""

    @property
    def hears(self) -> bool:
        """Whether the session has a recogniser."""
        return self.kind != "synthesis"

    @property
    def speaks(self) -> bool:
        """Whether the session has a voice."""
        return self.kind != "recognition"


def open_as_asked(ask: Start, offer: Offer) -> Opening:
    """The session that `ask` opens on a node with this offer.

    Raises:
        Unsupported: a kind, language, format, model, voice or graph that the node does not have.
        InvalidMessage: a number out of its range, or a caller's id that is none.
    """
    _one_of("kind", ask.kind, KINDS)
    _one_of("language", ask.language.lower(), offer.languages)
    check_format(ask.audio, "audio")
    check_format(ask.output, "output")
    low, high = ENDPOINT_SILENCE_MS
    if not low <= ask.endpoint_silence_ms <= high:
        raise InvalidMessage(
            f"endpoint_silence_ms {ask.endpoint_silence_ms} is out of range",
            field="endpoint_silence_ms",
            value=ask.endpoint_silence_ms,
            remedy=f"use {low} to {high}",
        )
    if ask.caller is not None:
        _check_caller(ask.caller)
    hears, speaks = ask.kind != "synthesis", ask.kind != "recognition"
    return Opening(
        kind=ask.kind,
        language=ask.language.lower(),
        model=_chosen("model", ask.model, offer.models) if hears else None,
        voice=_chosen("voice", ask.voice, offer.voices) if speaks else None,
        audio=ask.audio,
        output=ask.output,
        partials=ask.partials,
        endpoint_silence_ms=ask.endpoint_silence_ms,
        graph=_graph(ask.graph, offer) if hears else "",
        caller=ask.caller,
    )


def _check_caller(caller: str) -> None:
    """What is wrong with it is said without it."""
    if not 1 <= len(caller) <= CALLER_CHARACTERS or not caller.isprintable():
        raise InvalidMessage(
            f"caller has {len(caller)} characters, or some that cannot be printed",
            field="caller",
            remedy=f"use 1 to {CALLER_CHARACTERS} printable characters, or leave it out",
        )


def _one_of(field: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise Unsupported(
            f"unknown {field} {value[:100]!r}",
            field=field,
            value=value,
            remedy=f"use one of: {', '.join(allowed) or 'none is available here'}",
        )


def _chosen(field: str, asked: str | None, offered: tuple[str, ...]) -> str:
    if asked is not None:
        _one_of(field, asked, offered)
        return asked
    if not offered:
        raise Unsupported(f"this node has no {field}", field=field, remedy="use another node")
    return offered[0]


def _graph(asked: str | None, offer: Offer) -> str:
    if asked is None:
        return offer.graph
    if asked in ("", NO_GRAPH):
        return ""
    _one_of("graph", asked, (*offer.graphs, NO_GRAPH))
    return asked
