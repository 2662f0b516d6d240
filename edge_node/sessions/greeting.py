"""What a caller is told first: what he has, and with what he goes on should he lose it."""

from edge_node.sessions.events import SeatGranted
from edge_node.sessions.opening import Offer
from heliovox.protocol.messages import VERSION, Started


def greeting(offer: Offer, event: SeatGranted, from_sample: int = 0) -> Started:
    """`started`.

    Args:
        offer: what the node can do.
        event: the seat.
        from_sample: where the audio goes on.
    """
    opening = event.opening
    return Started(
        session=event.session,
        node=offer.node,
        version=VERSION,
        kind=opening.kind,
        language=opening.language,
        model=opening.model,
        voice=opening.voice,
        audio=opening.audio,
        output=opening.output,
        chunk_ms=offer.chunk_ms,
        lookahead_ms=offer.lookahead_ms,
        graph=opening.graph or None,
        region=offer.region,
        decision=event.decision,
        recovery=event.recovery,
        from_sample=from_sample,
    )
