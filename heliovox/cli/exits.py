"""What a command's exit code says, for scripts. Pure."""

from asyncio import CancelledError
from enum import IntEnum

from heliovox.client.errors import (
    CannotConnect,
    ConnectionLost,
    Refused,
    TimedOut,
    Unauthorised,
)


class Exit(IntEnum):
    """The codes, as `heliovox --help` lists them."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NO_CONNECTION = 3
    UNAUTHORISED = 4
    REFUSED = 5
    INTERRUPTED = 130


EXIT_CODES = """exit codes:
  0    done
  1    failed: the input, an answer, a check of `demo`, or a part of `up`
  2    wrong usage
  3    no connection: nobody there, no answer in time, or lost on the way
  4    no key, or an unknown one
  5    refused by node or control plane: full, not allowed, or not what they have
  130  stopped by Ctrl-C"""

_BY_CLASS: tuple[tuple[type[BaseException], Exit], ...] = (
    (KeyboardInterrupt, Exit.INTERRUPTED),
    (CancelledError, Exit.INTERRUPTED),
    (Unauthorised, Exit.UNAUTHORISED),
    (Refused, Exit.REFUSED),
    (CannotConnect, Exit.NO_CONNECTION),
    (ConnectionLost, Exit.NO_CONNECTION),
    (TimedOut, Exit.NO_CONNECTION),
)


class UsageError(Exception):
    """Options that do not go together; the message says which."""


def exit_of(error: BaseException) -> Exit:
    """The code for an error."""
    if isinstance(error, UsageError):
        return Exit.USAGE
    return next((code for kind, code in _BY_CLASS if isinstance(error, kind)), Exit.FAILED)


def cause_of(error: BaseException) -> BaseException:
    """The error that says most, where several tasks failed: the node's own words come first."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    causes = [cause_of(inner) for inner in error.exceptions]
    return next((cause for cause in causes if isinstance(cause, Refused)), causes[0])
