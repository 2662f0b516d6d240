"""Runs a process's services to their end, and says in the log what ended them."""

import logging
from collections.abc import Coroutine, Iterator
from typing import Any

import uvloop

from shared.errors import VoiceError
from shared.service import NotReady, ServiceEnded

OK, FAILED = 0, 1
"""Exit statuses."""


def run_to_the_end(work: Coroutine[Any, Any, None], log: logging.Logger) -> int:
    """The exit status. What a user can mend is a line of the log; what he cannot is raised."""
    code = OK
    try:
        uvloop.run(work)
    except* (VoiceError, NotReady, ServiceEnded) as group:
        for error in _leaves(group):
            log.error("%s", explained(error))  # noqa: TRY400 a traceback says less
        code = FAILED
    return code


def _leaves(group: BaseExceptionGroup[Exception]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def explained(error: BaseException) -> str:
    """The error and its remedy in a line."""
    remedy = error.remedy if isinstance(error, VoiceError) else None
    return f"{error}; remedy: {remedy}" if remedy else str(error)
