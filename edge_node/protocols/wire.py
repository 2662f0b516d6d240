"""What a socket needs of the connection below it, beyond picows."""

from typing import Protocol


class Wire(Protocol):
    """The transport, its clock, and the registry that keeps its deadlines."""

    def now_s(self) -> float:
        """The clock that signs of life are measured on."""
        ...

    def heard(self) -> bool:
        """Whether bytes came since this was last asked."""
        ...

    def spoke(self) -> None:
        """The first message came."""
        ...

    def gather(self) -> None:
        """The first audio came: a packet may now wait a moment for those of others."""
        ...

    def pause_reading(self) -> None:
        """Leaves what comes in the kernel."""
        ...

    def resume_reading(self) -> None:
        """Reads on."""
        ...

    def hung_up(self) -> bool:
        """Whether the peer has closed, also while reading is paused."""
        ...

    def get_write_buffer_size(self) -> int:
        """Bytes that wait for the caller to read."""
        ...

    def await_close(self) -> None:
        """We said goodbye: the peer has some seconds to answer."""
        ...

    def finish(self) -> None:
        """Both said goodbye: close."""
        ...

    def abort_for(self, reason: str) -> None:
        """Closes at once; the reason is counted."""
        ...
