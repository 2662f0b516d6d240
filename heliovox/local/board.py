"""Several calls at once on one screen. Pure: what is known in, what to write out."""

from dataclasses import dataclass, field

_UP, _WIPE = "\x1b[{}A", "\x1b[K"


@dataclass(slots=True)
class Board:
    """One line a call. A terminal sees them grow; a pipe sees each once, when it is final."""

    columns: int
    terminal: bool
    names: list[str]
    _texts: list[str] = field(default_factory=list)
    _drawn: bool = False

    def say(self, row: int, text: str, *, final: bool = False) -> str:
        """What to write now that a call's words are `text`."""
        self._texts = self._texts or [""] * len(self.names)
        self._texts[row] = text
        if self.terminal:
            return self._redrawn()
        return f"  {self.names[row]}  {text}\n" if final else ""

    def _redrawn(self) -> str:
        up = _UP.format(len(self.names)) if self._drawn else ""
        self._drawn = True
        return up + "".join(f"{self._line(row)}{_WIPE}\n" for row in range(len(self.names)))

    def _line(self, row: int) -> str:
        """The end of a text that is too long: that is where it grows."""
        name, text = f"  {self.names[row]}  ", self._texts[row]
        room = max(self.columns - len(name) - 1, 1)
        return name + (text if len(text) <= room else "…" + text[len(text) - room + 1 :])
