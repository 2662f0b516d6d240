"""Subjects and patterns of them: tokens between dots, `*` for one, `>` for all that follow."""

from functools import lru_cache

MAX_BYTES = 1 << 20
"""Of one message: NATS's own default."""


def matches(pattern: str, subject: str) -> bool:
    """Whether `pattern` stands for `subject`.

    A subject may itself be a pattern; then it must be inside the other.
    """
    wanted, tokens = pattern.split("."), subject.split(".")
    for at, want in enumerate(wanted):
        if want == ">":
            return len(tokens) > at
        if at >= len(tokens) or tokens[at] == ">":
            return False
        if want not in ("*", tokens[at]):
            return False
    return len(wanted) == len(tokens)


def overlap(one: str, other: str) -> bool:
    """Whether some subject is matched by both patterns."""
    ours, theirs = one.split("."), other.split(".")
    for mine, its in zip(ours, theirs, strict=False):
        if ">" in (mine, its):
            return True
        if mine != its and "*" not in (mine, its):
            return False
    return len(ours) == len(theirs)


@lru_cache(16_384)
def checked(subject: str, *, pattern: bool = False) -> str:
    """The subject as it came. Raises ValueError where it is none, or a pattern unasked."""
    tokens = subject.split(".")
    wild = [at for at, token in enumerate(tokens) if token in ("*", ">")]
    if not all(tokens) or any(character.isspace() for character in subject):
        raise ValueError(f"{subject!r} is no subject: tokens between dots, none empty, no spaces")
    if wild and not pattern:
        raise ValueError(f"{subject!r} is a pattern: name the one subject that is meant")
    if ">" in tokens[:-1]:
        raise ValueError(f"{subject!r} is no pattern: `>` can only be the last token")
    return subject


def checked_key(key: str) -> str:
    """A bucket's key as it came. Raises ValueError where it cannot be one."""
    checked(key)
    if not all(c.isascii() and (c.isalnum() or c in "-_=/.") for c in key):
        raise ValueError(f"{key!r} is no key of a bucket: use a-z, A-Z, 0-9 and -_=/.")
    return key
