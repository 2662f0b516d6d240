"""Children that end with us, even where we are killed and can tell them nothing."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def tether() -> Callable[[], None] | None:
    """For `preexec_fn`: has Linux send the child SIGTERM once the thread that started it is gone.

    None elsewhere; `world.leftovers` finds what is left then.
    """
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # we were killed in between
            os._exit(1)

    return tie
