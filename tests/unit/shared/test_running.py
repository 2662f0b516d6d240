"""What ends a process's services is told to who can mend it."""

import logging

import pytest

from shared.errors import InvalidMessage, VoiceError
from shared.running import FAILED, OK, run_to_the_end
from shared.service import NotReady

LOG = logging.getLogger("test.running")


async def ends(*errors: Exception) -> None:
    if errors:
        raise ExceptionGroup("services", [ExceptionGroup("inner", list(errors))])


def test_an_end_that_was_asked_for_is_well() -> None:
    assert run_to_the_end(ends(), LOG) == OK


def test_every_failure_is_told_with_its_remedy(caplog: pytest.LogCaptureFixture) -> None:
    refused: VoiceError = InvalidMessage("no such port", field="port", remedy="use another")
    assert run_to_the_end(ends(refused, NotReady("bus", 5.0)), LOG) == FAILED
    refusal, late = (record.getMessage() for record in caplog.records)
    assert refusal.endswith("; remedy: use another")
    assert "bus" in late


def test_what_nobody_foresaw_is_raised() -> None:
    with pytest.raises(ExceptionGroup):
        run_to_the_end(ends(ZeroDivisionError()), LOG)
