"""How long a client waits and how much it keeps: every wait ends, every queue is bounded."""

from dataclasses import dataclass

from heliovox.client.keeping import KEPT_S


@dataclass(frozen=True, slots=True)
class Limits:
    """The defaults suit interactive use; tests and batch jobs hand in their own."""

    open_s: float = 10.0
    """From connecting to `started`. A node that takes longer is too far or too busy to talk to."""
    ask_s: float = 30.0
    """For the control plane's answer. Policies that wait for a seat take their own time of it, 10 s
    unless they say otherwise."""
    answer_s: float = 60.0
    """Without any message while an answer is due (the rest after `finish`, a text being said).
    Shorter gives up on a busy node sooner."""
    keepalive_s: float = 60.0
    """Silence after which the client says `keepalive`; a node gives up after 300 s."""
    close_s: float = 2.0
    """For the closing handshake; then the connection is cut."""
    dead_s: float = 120.0
    """Without an answer to a WebSocket ping. Long, because a ping waits behind audio that a busy
    node has not read yet."""
    detect_s: float = 2.0
    """Without any sign of life, while one is looked for, the connection counts as lost. Shorter
    takes a bad link for a dead node."""
    reach_s: float = 2.0
    """For one attempt to go on at a node, from connecting to its answer. Longer leaves less time
    for the other ways; a far node behind TLS takes four round trips."""
    replace_s: float = 5.0
    """For the control plane to find another node for a session that goes on."""
    kept_s: float = KEPT_S
    """Of audio kept until its words have come. Then `send` waits, or the oldest is dropped."""
    unread_s: float = 30.0
    """How long one reader waits for another to take its events before it gives up."""
    events: int = 1024
    """Events kept for one reader while another one reads the connection."""
    piece_bytes: int = 65536
    """Audio travels in messages of at most this size; a node takes up to 1 MiB."""
