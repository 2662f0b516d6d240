"""Where a world on this machine keeps its files, and who holds it. Light: the SDK's alone.

HELIOVOX_HOME/          a world's folder; `up --name N` takes HELIOVOX_HOME/worlds/N
  lock                  held as long as the world lives
  world.json            addresses and key files, once everything is ready
  run/                  keys, stores, settings: made at the start, removed at the end
  logs/                 one for each process of the last world
  cache/                what nodes measured of this machine
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

VARIABLE = "HELIOVOX_HOME"


class ProcessFile(msgspec.Struct, frozen=True):
    """A process of a world."""

    name: str
    pid: int
    log: str
    born: str = ""
    """When the system says that it began: tells it from a later process with its number."""


class NodeFile(msgspec.Struct, frozen=True):
    """A node of a world."""

    node: str
    region: str
    url: str
    pid: int


class BusFile(msgspec.Struct, frozen=True):
    """A message bus of a world."""

    name: str
    """`centre`, or the region."""
    url: str
    pid: int


class StoreFile(msgspec.Struct, frozen=True):
    """A region's store of content."""

    region: str
    url: str
    seed_file: str
    """The custodian's key: who has it reads and deletes what is kept there."""


class WorldFile(msgspec.Struct, frozen=True):
    """`world.json`, and what `heliovox up --json` prints."""

    name: str
    folder: str
    pid: int
    """Of `heliovox up`."""
    control: str
    control_pid: int
    key_file: str
    """A caller's key, for every policy."""
    operator_key_file: str
    nodes: tuple[NodeFile, ...]
    buses: tuple[BusFile, ...]
    logs: str
    bus_operator_seed_file: str = ""
    """The nkey of whoever looks into the message buses."""
    stores: tuple[StoreFile, ...] = ()
    """Where content is kept."""
    streams_per_node: int | None = None
    """None where each node measured for itself what it can take."""
    took_s: float = 0.0
    """From the first process to everything being ready."""


class WorldHeld(Exception):
    """Another world lives in this folder."""

    def __init__(self, folder: Path, pid: str) -> None:
        super().__init__(
            f"{folder} is held by another world (pid {pid or 'unknown'}): stop that one, or start "
            f"this one with --name NAME or another {VARIABLE}"
        )
        self.folder = folder


@dataclass(frozen=True, slots=True)
class Home:
    """The files of one world."""

    folder: Path

    @classmethod
    def of(cls, environ: Mapping[str, str], user: Path, name: str | None = None) -> "Home":
        """The folder that the environment names, or the usual one.

        Args:
            environ: HELIOVOX_HOME, XDG_STATE_HOME.
            user: the user's own folder.
            name: of one of several worlds side by side.
        """
        usual = Path(environ.get("XDG_STATE_HOME") or user / ".local" / "state")
        base = Path(environ.get(VARIABLE) or usual / "heliovox" / "world").absolute()
        return cls(base / "worlds" / name if name else base)

    @property
    def lock(self) -> Path:
        """Held by the living."""
        return self.folder / "lock"

    @property
    def file(self) -> Path:
        """`world.json`."""
        return self.folder / "world.json"

    @property
    def run(self) -> Path:
        """What goes with the world."""
        return self.folder / "run"

    @property
    def processes(self) -> Path:
        """The processes so far, for whoever has to clean up behind a world that could not."""
        return self.run / "processes.json"

    @property
    def logs(self) -> Path:
        """What stays of it."""
        return self.folder / "logs"

    @property
    def cache(self) -> Path:
        """What the next one need not measure again."""
        return self.folder / "cache"

    def world(self) -> WorldFile | None:
        """The world that lives here and is ready; None for none."""
        try:
            if not _is_held(self.lock):
                return None
            return msgspec.json.decode(self.file.read_bytes(), type=WorldFile)
        except (OSError, msgspec.DecodeError, ImportError):
            return None


@contextmanager
def held(home: Home) -> Iterator[None]:
    """Holds the folder for one world; the system lets go of it however the world ends.

    Raises:
        WorldHeld: another one lives there.
        OSError: the folder cannot be made.
    """
    home.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = _locked(home)
    try:
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        home.lock.unlink(missing_ok=True)
        os.close(descriptor)


def _locked(home: Home) -> int:
    import fcntl  # noqa: PLC0415 Unix alone has it, and only worlds need it

    while True:
        descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            os.close(descriptor)
            raise WorldHeld(home.folder, pid) from None
        if _is_still(descriptor, home.lock):
            return descriptor
        os.close(descriptor)  # the one before us removed it just now


def _is_still(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _is_held(lock: Path) -> bool:
    """Whether somebody holds it, by trying to share it for a moment."""
    import fcntl  # noqa: PLC0415 Unix alone has it, and only worlds need it

    descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
