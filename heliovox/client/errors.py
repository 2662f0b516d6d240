"""What can go wrong for a caller. A class exists where a caller acts differently; fields say what.

ClientError
├── CannotConnect      nobody answers there, or what answers is no node: mend the address
├── ConnectionLost     there was a session and now there is none: open another
├── TimedOut           the node said nothing for too long
├── NodeMisbehaved     the node broke the protocol: report it
├── UnreadableAudio    a file that is no audio we can send: convert it
└── Refused            node or control plane said no, and why; `retryable`: may be asked again
    └── Unauthorised   no key, or an unknown one
"""

from typing import Self

from heliovox.protocol.messages import Error, Notice


class ClientError(Exception):
    """Every error of the SDK."""


class CannotConnect(ClientError):
    """No node answers at this address."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"cannot connect to {url}: {why}")
        self.url, self.why = url, why


class ConnectionLost(ClientError):
    """The connection ended before the session did."""

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(f"connection lost: {code or 'no close code'} {reason}".rstrip())
        self.code, self.reason = code, reason


class TimedOut(ClientError):
    """The node did not do something in time."""

    def __init__(self, what: str, limit_s: float) -> None:
        super().__init__(f"{what} took longer than {limit_s:g} s")
        self.what, self.limit_s = what, limit_s


class NodeMisbehaved(ClientError):
    """A message that the protocol does not allow here."""


class UnreadableAudio(ClientError):
    """Audio that cannot be sent as it is: `remedy` says what to do."""

    def __init__(self, name: str, why: str, remedy: str) -> None:
        super().__init__(f"{name}: {why}; {remedy}")
        self.name, self.why, self.remedy = name, why, remedy


class Refused(ClientError):
    """The node's or the control plane's own error, field by field as it came over the wire."""

    def __init__(self, error: Error) -> None:
        super().__init__(_sentence(error))
        self.code, self.message = error.code, error.message
        self.field, self.value, self.remedy = error.field, error.value, error.remedy
        self.retryable, self.decision = error.retryable, error.decision

    @classmethod
    def of(cls, error: Error) -> "Refused":
        """The class that goes with the error's code."""
        return Unauthorised(error) if error.code == "unauthorised" else cls(error)

    @classmethod
    def because(cls, notice: Notice) -> "Refused":
        """A text that is not said, with the node's reason."""
        return cls.of(Error(notice.code, notice.message, notice.field, notice.value, notice.remedy))

    def __reduce__(self) -> tuple[type[Self], tuple[Error]]:
        return type(self), (
            Error(
                self.code,
                self.message,
                self.field,
                self.value,
                self.remedy,
                self.retryable,
                self.decision,
            ),
        )


class Unauthorised(Refused):
    """No key, or an unknown one: ask the node's operator for a key."""


def _sentence(error: Error) -> str:
    about = "" if error.value is None else f" ({error.field}={error.value!r})"
    remedy = f"; {error.remedy}" if error.remedy else ""
    return f"{error.code}: {error.message}{about}{remedy}"
