"""What a caller's environment gets, and what a node's."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def _wheel(source: Path, to: Path) -> set[str]:
    """The names of all files in the wheel built from `source`."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(to), str(source)], check=True)
    [built] = to.glob("*.whl")
    return set(zipfile.ZipFile(built).namelist())


def _packages(files: set[str]) -> set[str]:
    tops = {name.split("/")[0] for name in files}
    return {name for name in tops if not name.endswith(".dist-info")}


def test_what_a_caller_installs_is_the_sdk_alone(tmp_path: Path) -> None:
    assert _packages(_wheel(ROOT, tmp_path)) == {"heliovox"}


def test_the_services_are_a_distribution_of_their_own(tmp_path: Path) -> None:
    files = _wheel(ROOT / "packaging" / "node", tmp_path)
    assert _packages(files) == {"edge_node", "control_plane", "shared"}
    assert {"shared/regions/regions.yaml", "shared/countries.csv"} <= files


@pytest.mark.parametrize("module", ["heliovox", "heliovox.client", "heliovox.cli.main"])
def test_the_sdk_imports_nothing_of_the_node(module: str) -> None:
    code = (
        "import sys; import {0}; "
        "print([m for m in sys.modules if m.split('.')[0] in "
        "('edge_node', 'shared', 'control_plane', 'numpy', 'litestar')])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code.format(module)], check=True, capture_output=True, text=True
    )
    assert told.stdout.strip() == "[]"
