"""Finals of sessions, as they are kept: what a conversation tells, made into pieces of content."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from edge_node.centre.identity import Identity
from edge_node.desk import Admitted
from edge_node.keeping.keeper import Keeper
from edge_node.sessions.opening import Opening
from heliovox.protocol.messages import Final
from shared.content.records import TRANSCRIPTS, Deletion, KeptFinal
from shared.ledger.records import Deleted


def deleted_record(receipt: Deletion) -> Deleted:
    """A verified deletion, as the ledger has it."""
    there = [place for place in receipt.places if place.before]
    return Deleted(
        session=receipt.session,
        of="content",
        regions=tuple(place.region for place in there),
        objects=sum(place.before or 0 for place in there),
        reason="asked_for",
    )


class Record(Protocol):
    """Who is told of what is said in sessions, and keeps it or not. Returns at once."""

    def begun(self, admitted: Admitted) -> None:
        """The session has a seat."""
        ...

    def final(self, admitted: Admitted, opening: Opening, final: Final) -> None:
        """Words that the caller was told for good."""
        ...

    def over(self, admitted: Admitted) -> None:
        """The session has left its seat."""
        ...


class NoRecord:
    """A node that is in no fleet keeps nothing."""

    def begun(self, admitted: Admitted) -> None:
        """See Record."""

    def final(self, admitted: Admitted, opening: Opening, final: Final) -> None:
        """See Record."""

    def over(self, admitted: Admitted) -> None:
        """See Record."""


class Transcripts:
    """Keeps finals where the session's policy keeps transcripts."""

    def __init__(self, who: Identity, keeper: Keeper, wall_ms: Callable[[], int]) -> None:
        self._who, self._keeper, self._wall_ms = who, keeper, wall_ms

    def begun(self, admitted: Admitted) -> None:
        """See Record."""
        self._keeper.begin(admitted.session, admitted.terms)

    def final(self, admitted: Admitted, opening: Opening, final: Final) -> None:
        """See Record."""
        if not self._keeper.keeps(admitted.session, TRANSCRIPTS):
            return
        terms = admitted.terms
        kept = KeptFinal(
            session=admitted.session,
            seq=final.seq,
            text=final.text,
            words=final.words,
            from_sample=final.from_sample,
            through_sample=final.through_sample,
            sample_rate=opening.audio.sample_rate,
            reason=final.reason,
            at_ms=self._wall_ms(),
            tenant=terms.tenant,
            caller=opening.caller,
            language=opening.language,
            node=self._who.node,
            region=self._who.region,
            policy=terms.policy,
            policy_version=terms.policy_version,
        )
        self._keeper.keep(
            admitted.session,
            TRANSCRIPTS,
            msgspec.json.encode(kept),
            part=str(final.seq),
        )

    def over(self, admitted: Admitted) -> None:
        """See Record."""
        self._keeper.over(admitted.session)
