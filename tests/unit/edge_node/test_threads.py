import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PRODUCT = """
import edge_node.stt.features, numpy, pathlib
numpy.ones((500, 500)) @ numpy.ones((500, 500))
print(len(list(pathlib.Path("/proc/self/task").iterdir())))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads in /proc")
@pytest.mark.skipif(os.cpu_count() == 1, reason="one processor has one thread anyway")
def test_a_nodes_products_take_one_thread() -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}  # noqa: TID251
    done = subprocess.run(
        [sys.executable, "-c", PRODUCT], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"
