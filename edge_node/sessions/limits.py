"""How much of anything one session may hold, and how long it may be silent."""

from dataclasses import dataclass

from shared.errors import TooBig


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one session."""

    backlog_s: float = 4.0
    """Audio waiting for the recogniser before the node stops reading. Every session may hold so
    much; a sender faster than real time runs into it and is slowed down by it."""
    start_within_s: float = 10.0
    """From the connection to `start`."""
    silent_s: float = 300.0
    """A session that says nothing at all for so long is taken for gone."""
    wishes: int = 64
    """Flushes and markers waiting for their audio."""
    id_characters: int = 128
    """The longest name a caller may give to a wish or a text: they are kept, and come back."""
    speaks: int = 8
    """Texts waiting to be said."""
    text_characters: int = 5000
    """The longest text of one `speak`."""

    def check_id(self, name: str) -> None:
        """Raises TooBig for a name that is longer than one may be."""
        if len(name) > self.id_characters:
            raise TooBig(
                f"an id of {len(name)} characters",
                field="id",
                value=name,
                remedy=f"use at most {self.id_characters} characters",
            )
