"""Where things lie unless a command says otherwise."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Final

WORK: Final = Path("training/scratch/stt")
MODEL: Final = Path("edge_node/models/embedded/stt-en-telephone")
ASSETS: Final = Path(os.environ.get("HELIOVOX_ASSETS", "../shared/assets"))


def parser(description: str | None, *, assets: bool = True) -> argparse.ArgumentParser:
    """A command line with the folders that every step takes."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--work", type=Path, default=WORK, help=f"speech, features, ... ({WORK})")
    if assets:
        made.add_argument(
            "--assets", type=Path, default=ASSETS, help=f"recordings: HELIOVOX_ASSETS ({ASSETS})"
        )
    return made
