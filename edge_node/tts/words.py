"""Word lists written as text. Pure."""


def words_of(text: str) -> tuple[str, ...]:
    """The words of a block of text."""
    return tuple(text.split())
