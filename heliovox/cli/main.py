"""The command `heliovox`. Modules of the commands are light: what is heavy they import when run."""

import argparse
import os
import sys
import traceback
from asyncio import CancelledError
from collections.abc import Sequence

from heliovox import __version__
from heliovox.cli import (
    content,
    demo,
    drain,
    ledger,
    listen,
    models,
    move,
    nodes,
    policy,
    regions,
    say,
    sessions,
    up,
    why,
)
from heliovox.cli.display import printable
from heliovox.cli.exits import EXIT_CODES, Exit, cause_of, exit_of
from heliovox.cli.options import with_coordinates

_COMMANDS = {
    "listen": listen,
    "say": say,
    "up": up,
    "demo": demo,
    "regions": regions,
    "nodes": nodes,
    "sessions": sessions,
    "why": why,
    "drain": drain,
    "move": move,
    "content": content,
    "models": models,
    "policy": policy,
    "ledger": ledger,
}


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="heliovox",
        description="Streaming speech recognition and synthesis, near the people who speak.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"heliovox {__version__}")
    commands = top.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", required=True
    )
    for command in _COMMANDS.values():
        command.register(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command and says what went wrong in one line. Returns its exit code."""
    args = parser().parse_args(with_coordinates(sys.argv[1:] if argv is None else argv))
    try:
        code = _COMMANDS[args.command].run(args)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt, CancelledError) as error:  # noqa: BLE001 said below
        cause = cause_of(error)
        if isinstance(cause, BrokenPipeError):  # whoever read our output has left, as `head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return Exit.OK
        _explain(cause)
        return exit_of(cause)
    return int(code)


def _explain(error: BaseException) -> None:
    if os.environ.get("HELIOVOX_DEBUG"):
        traceback.print_exception(error, file=sys.stderr)
    elif not isinstance(error, (KeyboardInterrupt, CancelledError)):
        said = str(error) or type(error).__name__
        print(f"heliovox: {printable(said)}", file=sys.stderr)
