"""Who may say and hear what on the bus. One function for each kind of identity.

NATS refuses what is not allowed, and what is denied even where it is allowed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from shared import subjects
from shared.bus.matching import matches, overlap

ALL_CONTENT = f"{subjects.CONTENT}.>"
INBOX = "_INBOX"
WRITER_INBOX = "_INBOX_NODE"
NODE_SAYS = ("report", "ask", "bundle", "note", "head")
TO_A_PLANE = "wait"
"""What a node says to one control plane, whose name follows."""
NODE_HEARS = ("reserve", "command")


@dataclass(frozen=True, slots=True)
class Permissions:
    """Patterns of subjects. What is in no `..._allow` is refused."""

    publish_allow: tuple[str, ...] = ()
    publish_deny: tuple[str, ...] = ()
    subscribe_allow: tuple[str, ...] = ()
    subscribe_deny: tuple[str, ...] = ()
    responses: bool = False
    """Whether it may answer, once, whoever asked it, wherever the answer goes to."""

    def may_publish(self, subject: str) -> bool:
        """By itself, not in answer to a request."""
        return _allowed(subject, self.publish_allow, self.publish_deny)

    def may_subscribe(self, pattern: str) -> bool:
        """Whether the server takes the subscription."""
        allowed = any(matches(allow, pattern) for allow in self.subscribe_allow)
        return allowed and not any(matches(deny, pattern) for deny in self.subscribe_deny)

    def may_hear(self, subject: str) -> bool:
        """Through whatever subscription: what is denied is kept from wider ones too."""
        return _allowed(subject, self.subscribe_allow, self.subscribe_deny)

    def may_publish_within(self, pattern: str) -> bool:
        """Whether it may publish on any subject that the pattern stands for."""
        denied = any(matches(deny, pattern) for deny in self.publish_deny)
        return not denied and any(overlap(allow, pattern) for allow in self.publish_allow)

    def may_hear_within(self, pattern: str) -> bool:
        """Whether it may hear any subject that the pattern stands for."""
        denied = any(matches(deny, pattern) for deny in self.subscribe_deny)
        return not denied and any(overlap(allow, pattern) for allow in self.subscribe_allow)


def inbox(name: str) -> str:
    """Where answers to one identity come to: its own `inbox_prefix`."""
    return f"{INBOX}.{subjects.token(name)}"


def writer_inbox(region: str, name: str) -> str:
    """Likewise for a node that keeps content: no name of a node is a custodian's by chance."""
    return f"{WRITER_INBOX}.{subjects.token(region)}.{subjects.token(name)}"


def node(region: str, name: str) -> Permissions:
    """Its own subjects, on its region's server."""
    all_says = (*NODE_SAYS, f"{TO_A_PLANE}.*")
    says = [subjects.node_subject(region, name, what) for what in all_says]
    hears = [subjects.node_subject(region, name, what) for what in NODE_HEARS]
    return Permissions(
        publish_allow=tuple(says),
        subscribe_allow=(*hears, subjects.NEWS, f"{inbox(name)}.>"),
        responses=True,
    )


def writer(region: str, name: str) -> Permissions:
    """A node that keeps content, on the server of whichever region keeps it.

    It says what is its own, hears nobody's, and learns which sessions are deleted. So a node
    of another region puts content into the store, and gets none out of it.
    """
    return Permissions(
        publish_allow=(subjects.content(region, name, ">"),),
        subscribe_allow=(
            f"{subjects.FORGET}.*",
            f"{subjects.DELETED}.*",
            f"{writer_inbox(region, name)}.>",
        ),
    )


def plane(name: str) -> Permissions:
    """One control plane, on the centre's server: all nodes' metadata, no content, the streams."""
    asks = [f"{subjects.META}.*.*.{what}" for what in NODE_HEARS]
    hears = [f"{subjects.META}.*.*.{what}" for what in (*NODE_SAYS, f"{TO_A_PLANE}.{name}")]
    return Permissions(
        publish_allow=(
            *asks,
            subjects.centre(name, ">"),
            subjects.NEWS,
            "$JS.API.>",
            "$JS.*.API.>",
            "$KV.>",
        ),
        publish_deny=(ALL_CONTENT,),
        subscribe_allow=(*hears, subjects.NEWS, f"{inbox(name)}.>"),
        subscribe_deny=(ALL_CONTENT,),
        responses=True,
    )


def operator(name: str) -> Permissions:
    """Looks at the metadata that passes one server, and says nothing."""
    return Permissions(
        subscribe_allow=("hv.>", f"{inbox(name)}.>"),
        subscribe_deny=(ALL_CONTENT,),
    )


def listener(name: str) -> Permissions:
    """What works on the content that a region keeps, on that region's server."""
    return Permissions(subscribe_allow=(ALL_CONTENT, f"{inbox(name)}.>"))


def custodian(name: str) -> Permissions:
    """Who answers for the content that a region keeps, on that region's server.

    He makes the store, looks through it, and deletes from it; he says no content.
    """
    store = subjects.CONTENT_STREAM
    asks = [
        *(f"STREAM.{verb}.{store}" for verb in ("CREATE", "UPDATE", "INFO", "PURGE")),
        f"STREAM.MSG.DELETE.{store}",
        *(f"CONSUMER.{verb}.{store}.>" for verb in ("CREATE", "MSG.NEXT", "DELETE")),
    ]
    return Permissions(
        publish_allow=(
            *(f"$JS.API.{ask}" for ask in asks),
            f"{subjects.FORGET}.*",
            f"{subjects.DELETED}.*",
        ),
        subscribe_allow=(f"{inbox(name)}.>",),
    )


def leaf(region: str, nodes: Iterable[str], planes: Iterable[str]) -> Permissions:
    """The link of a region's server, as the centre's server sees it.

    What it may publish comes from the region, what it subscribes to goes there. So not even a
    region's server that fell into wrong hands speaks for another region, or hears of it.
    """
    all_nodes = f"{subjects.META}.{subjects.token(region)}.*"
    planes = tuple(planes)
    own = [f"{all_nodes}.{what}" for what in NODE_SAYS]
    # by name: a server passes interest on to a leaf only where it holds all that the leaf may say
    own += [f"{all_nodes}.{TO_A_PLANE}.{subjects.token(name)}" for name in planes]
    asked = [f"{all_nodes}.{what}" for what in NODE_HEARS]
    return Permissions(
        publish_allow=(*own, *(f"{inbox(name)}.>" for name in planes), *_JETSTREAM_TO_CENTRE),
        publish_deny=(ALL_CONTENT,),
        subscribe_allow=(
            *asked,
            subjects.NEWS,
            *(f"{inbox(name)}.>" for name in nodes),
            f"$JS.{region}.API.>",
            *_JETSTREAM_TO_REGION,
        ),
        subscribe_deny=(ALL_CONTENT,),
    )


_JETSTREAM_TO_CENTRE = ("$JS.S.>", "$JSC.R.>")
"""Notes on their way into the centre's stream, and what a region says to the centre's consumer."""
_JETSTREAM_TO_REGION = ("$JS.ACK.>", "$JS.FC.>")
"""How far the centre has come, so that the region's server sends more."""


def _allowed(subject: str, allow: Iterable[str], deny: Iterable[str]) -> bool:
    allowed = any(matches(pattern, subject) for pattern in allow)
    return allowed and not any(matches(pattern, subject) for pattern in deny)
