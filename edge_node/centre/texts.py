"""Texts over plain HTTP at a node of a fleet: each is a session that began and ended."""

from dataclasses import dataclass

from edge_node.centre.desk import TEXT_LANGUAGE, Asked, FleetDesk
from edge_node.desk import Accounts, Admitted, Terms, Used
from edge_node.ledger.sessions import Heard, Progress


class TextAccounts(Accounts):
    """Who may have texts said over plain HTTP: by the bundle's keys, where policies allow it."""

    def __init__(self, desk: FleetDesk) -> None:
        self._desk = desk

    def known(self, key: str | None) -> bool:
        """See Accounts."""
        return key is not None and self._desk.held().must().who(key) is not None

    def of(self, key: str | None, address: str | None = None) -> "TextAccount":
        """See Accounts."""
        return TextAccount(self._desk, self._desk.speech_terms(key, address), self._desk.new_id())


@dataclass(frozen=True, slots=True)
class TextAccount:
    """Notes a text as a session that began and ended."""

    desk: FleetDesk
    terms: Terms
    session: str

    async def begin(self, characters: int) -> None:
        """See Account. Raises LedgerUnavailable."""
        if (ledger := self.desk.ledger) is not None:
            heard = Heard(self.session, "speaker", "synthesis", 0, self.terms)
            await ledger.opened(heard, lambda: Progress(characters=characters))

    def over(self) -> None:
        """See Account."""
        if self.desk.ledger is not None:
            self.desk.ledger.closed(self.session, "finish")

    def said(self, characters: int) -> None:
        """See Account."""
        admitted = Admitted(self.session, "synthesis", self.terms)
        for event, used in (("started", Used()), ("ended", Used(0, characters))):
            reason = "finish" if event == "ended" else None
            self.desk.write(event, admitted, Asked(TEXT_LANGUAGE), used, reason)  # type: ignore[arg-type]
