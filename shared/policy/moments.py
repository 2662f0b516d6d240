"""Moments as people read and write them, in UTC."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def moment(at_ms: int | None) -> str:
    """`2026-01-01`, or with the time of day where it is not midnight; `ever` for None."""
    if at_ms is None:
        return "ever"
    at = EPOCH + at_ms * _MS
    if at.time() == EPOCH.time():
        return at.date().isoformat()
    digits = "milliseconds" if at.microsecond else "seconds"
    return at.replace(tzinfo=None).isoformat(timespec=digits) + "Z"


def milliseconds(at: datetime) -> int:
    """Since 1970; what is less than one is left out."""
    return (at - EPOCH) // _MS
