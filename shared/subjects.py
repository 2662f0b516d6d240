"""Every NATS subject, in one place. The first two tokens are the plane: `hv.meta`, `hv.content`.

Metadata flows between nodes and centre. Content (audio, words) has an account of its own on each
region's server, which no link reaches; links and the centre's server deny `hv.content.>` besides.
"""

import re
from functools import lru_cache

META = "hv.meta"
CONTENT = "hv.content"
CENTRE = "centre"
"""Stands where a region's name would, for what the centre says; no region may be called so."""

_TOKEN = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@lru_cache(16_384)
def token(name: str) -> str:
    """A region's or node's name, safe as one token of a subject. Raises ValueError."""
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} cannot stand in a subject: use a-z, 0-9 and -, 63 at most")
    return name


def node_subject(region: str, node: str, what: str) -> str:
    """`hv.meta.<region>.<node>.<what>`."""
    return f"{META}.{token(region)}.{token(node)}.{what}"


def report(region: str, node: str) -> str:
    """The node says how much room it has (CapacityReport)."""
    return node_subject(region, node, "report")


def reserve(region: str, node: str) -> str:
    """The centre asks the node for a seat (Reserve), the node answers (Reserved)."""
    return node_subject(region, node, "reserve")


def command(region: str, node: str) -> str:
    """The centre tells the node to do something (Command), the node answers (CommandDone)."""
    return node_subject(region, node, "command")


def ask(region: str, node: str) -> str:
    """The node asks the centre where a caller should go (NodeAsk), gets PlaceAnswer."""
    return node_subject(region, node, "ask")


def wait(region: str, node: str, plane: str) -> str:
    """The node asks a control plane about a caller in its line (NodeWait), gets PlaceAnswer."""
    return node_subject(region, node, f"wait.{token(plane)}")


def waits(plane: str) -> str:
    """All nodes' questions about callers in the line of one control plane."""
    return f"{META}.*.*.wait.{token(plane)}"


def bundle(region: str, node: str) -> str:
    """The node asks the centre for the signed bundle (empty), gets it as a JWT."""
    return node_subject(region, node, "bundle")


def note(region: str, node: str) -> str:
    """The node notes a session's start or end (SessionNote); kept by a stream of the region."""
    return node_subject(region, node, "note")


def head(region: str, node: str) -> str:
    """The node shows the centre how far its ledger is (SignedHead), gets it back witnessed."""
    return node_subject(region, node, "head")


def centre(plane: str, what: str) -> str:
    """`hv.meta.centre.<control plane>.<what>`: what one control plane records or says."""
    return f"{META}.{CENTRE}.{token(plane)}.{what}"


def record(plane: str) -> str:
    """The inputs and outcomes of decisions, in batches, kept by a stream of the centre."""
    return centre(plane, "record")


def decision(plane: str, batch: str) -> str:
    """A batch of decisions, kept by a stream of the centre; their ids say which batch."""
    return centre(plane, f"decision.{batch}")


def ledger_head(plane: str, log: str) -> str:
    """A head of a node's ledger that one control plane has seen, kept by a stream of the centre."""
    return centre(plane, f"head.{token(log)}")


def ledger_world(plane: str) -> str:
    """A version of the policies as one control plane put it in force, likewise."""
    return centre(plane, "world")


NEWS = f"{META}.{CENTRE}.all.news"
"""The centre says that there is a new bundle, to all nodes."""
REPORTS = f"{META}.*.*.report"
ASKS = f"{META}.*.*.ask"
BUNDLES = f"{META}.*.*.bundle"
NOTES = f"{META}.*.*.note"
HEADS = f"{META}.*.*.head"


CONTENT_STREAM = "CONTENT"
"""Of each region's server, in the account of content: what is kept there."""
FORGET = "hv.forget"
DELETED = "hv.deleted"


def content(region: str, node: str, what: str) -> str:
    """`hv.content.<region>.<node>.<what>`: what was heard or said. The region is the node's."""
    return f"{CONTENT}.{token(region)}.{token(node)}.{what}"


def kept(region: str, node: str, session: str, what: str) -> str:
    """`hv.content.<region>.<node>.<session>.<what>`: what is kept of a session, one kind of it."""
    return content(region, node, f"{token(session)}.{token(what)}")


def kept_of(session: str) -> str:
    """All that is kept of a session, of every kind, whichever node served it."""
    return f"{CONTENT}.*.*.{token(session)}.*"


def forget(session: str) -> str:
    """A custodian tells nodes that they keep no more of a session: what is there he deletes."""
    return f"{FORGET}.{token(session)}"


def deleted(session: str) -> str:
    """The receipt of a session's deletion, kept where its content was."""
    return f"{DELETED}.{token(session)}"
