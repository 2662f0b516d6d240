"""Puts the services' packages, which stand at the root of the tree, into the wheel.

Not for editable installs: those see the tree itself (`dev-mode-dirs`), and a copy would hide it.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGES = ("edge_node", "control_plane", "shared")


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling by this name."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Names what goes into a `standard` wheel."""
        if version == "standard":
            tree = Path(self.root).parents[1]
            build_data["force_include"] = {str(tree / name): name for name in PACKAGES}
