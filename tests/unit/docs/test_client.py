"""docs/client.md and `heliovox --help` say the same of exit codes, and name every error."""

import re
from pathlib import Path

from heliovox.cli.exits import EXIT_CODES, Exit
from heliovox.client import errors

DOCUMENT = (Path(__file__).parents[3] / "docs" / "client.md").read_text()


def test_exit_codes_are_the_same_everywhere() -> None:
    documented = dict(re.findall(r"^\| (\d+) \| (.+) \|$", DOCUMENT, re.MULTILINE))
    helped = dict(re.findall(r"^  (\d+) +(.+)$", EXIT_CODES, re.MULTILINE))
    assert documented == helped
    assert {int(code) for code in helped} == set(Exit)


def test_every_error_is_in_the_table() -> None:
    real = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.ClientError)
    }
    table = "".join(line.split("|")[1] for line in DOCUMENT.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`(\w+)`", table)) == real - {"ClientError"}
