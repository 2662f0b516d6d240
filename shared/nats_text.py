"""The configuration language of nats-server: settings, lists and blocks, indented."""

import json
from collections.abc import Iterable, Sequence


def quoted(text: str) -> str:
    """A string. Raises ValueError for what would end it early, or be expanded."""
    if not text.isascii() or not text.isprintable() or '"' in text or "\\" in text:
        raise ValueError(f"{text!r} cannot stand in a server's configuration")
    return json.dumps(text)


def setting(name: str, value: str | int | bool) -> str:  # noqa: FBT001 a value is a value
    """`name: value`."""
    said = quoted(value) if isinstance(value, str) else json.dumps(value)
    return f"{name}: {said}"


def many(name: str, values: Iterable[str]) -> str:
    """`name: [a, b]`."""
    return f"{name}: [{', '.join(quoted(value) for value in values)}]"


def block(name: str, lines: Sequence[str], *, brackets: str = "{}") -> list[str]:
    """`name { ... }`, or without a name an element of a list."""
    head = f"{name}: [" if brackets == "[]" else f"{name} {{".strip()
    return [head, *(f"  {line}" for line in lines), brackets[1]]
