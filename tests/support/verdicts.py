"""What the verifier says of a bundle, told within this process."""

import contextlib
import io
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from control_plane.ledger import verify
from tests.support.ledgers import written


def verdict(files: Mapping[str, bytes], **beside: bytes | str) -> dict[str, Any]:
    """The line of JSON that it ends with.

    Args:
        files: the bundle.
        beside: other options; bytes are put into a file.
    """
    with tempfile.TemporaryDirectory() as folder:
        bundle = written(files, Path(folder) / "bundle")
        options = []
        for name, said in beside.items():
            options += [f"--{name.replace('_', '-')}", str(said)]
            if isinstance(said, bytes):
                path = Path(folder) / name
                path.write_bytes(said)
                options[-1] = str(path)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = verify.main([str(bundle), *options])
    said_last: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    assert code == (1 if said_last["problems"] else 0)
    return said_last
