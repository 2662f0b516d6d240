"""Plants one fault into the router as it is imported, in a process of its own."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Fault:
    """A change of one line or two that makes the router unlawful or wrong."""

    name: str
    module: str
    old: str
    """As it stands in the module's source, exactly once."""
    new: str

    @property
    def path(self) -> Path:
        """Of the module's source."""
        return ROOT / f"{self.module.replace('.', '/')}.py"


class DoesNotApply(Exception):
    """The router's source was changed: the fault must be written anew."""


def planted(fault: Fault, source: str) -> str:
    """The source with the fault. Raises DoesNotApply."""
    times = source.count(fault.old)
    if times != 1:
        raise DoesNotApply(
            f"fault {fault.name}: its text stands {times} times in {fault.path}, not once; "
            f"write it anew in prover/faults.py: {fault.old!r}"
        )
    return source.replace(fault.old, fault.new)


def check(faults: Sequence[Fault]) -> None:
    """That all of them apply. Raises DoesNotApply for the first that does not."""
    for fault in faults:
        if not fault.path.exists():
            raise DoesNotApply(f"fault {fault.name}: there is no {fault.path}")
        planted(fault, fault.path.read_text())


def plant(fault: Fault) -> None:
    """From now on its module is imported with the fault. It must not have been imported yet."""
    if fault.module in sys.modules:
        raise DoesNotApply(f"fault {fault.name}: {fault.module} is imported already")
    sys.meta_path.insert(0, _Finder(fault))


class _Finder(MetaPathFinder):
    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module with the fault; nothing for all others."""
        if fullname != self._fault.module:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(fullname, spec.origin, self._fault)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, fault: Fault) -> None:
        super().__init__(fullname, path)
        self._fault = fault

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 as its base has it
        """Compiled from the changed source, never from a cache."""
        source = planted(self._fault, Path(self.path).read_text())
        return compile(source, f"{self.path} with {self._fault.name}", "exec")
