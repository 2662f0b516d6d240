"""`heliovox models`: what models there are, fetching them, and whether they are still whole.

The store belongs to the node's distribution and is imported when a command runs.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from heliovox.cli import models_text as text

if TYPE_CHECKING:
    from edge_node.models.store import Store

OK, FAILED, NO_CONNECTION, REFUSED = 0, 1, 3, 5
NEEDS_NODE = "heliovox models needs the node's packages: pip install 'heliovox[edge,cpu]'"

Commands = argparse._SubParsersAction  # noqa: SLF001 argparse has no public name for it


def register(subparsers: "Commands[argparse.ArgumentParser]") -> None:
    """Adds `models` and its commands."""
    parser = subparsers.add_parser(
        "models",
        help="list, fetch and check models",
        description="Models that recognise, speak and find speech: those that ship with this "
        "version, and larger public ones that are fetched by name and verified.",
        epilog="Pulled models live in --models-dir, else in HELIOVOX_MODELS_DIR, else in the "
        "user's data folder. Its catalog.yaml, where there is one, adds entries of your own.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add(commands, "list", _list, "what models there are, and which are here")
    _add_pull(commands)
    _add_verify(commands)
    _add_import(commands)
    _add_bench(commands)


def run(args: argparse.Namespace) -> int:
    """Runs a command; says what went wrong with its remedy. Returns the exit code."""
    try:
        from edge_node.models.download import PullFailed  # noqa: PLC0415 only nodes have it
        from edge_node.models.store import Store  # noqa: PLC0415
        from shared.errors import VoiceError  # noqa: PLC0415
    except ImportError:
        print(NEEDS_NODE, file=sys.stderr)
        return FAILED
    try:
        act: Callable[[Store, argparse.Namespace], int] = args.act
        return act(Store(_folder(args)), args)
    except VoiceError as error:
        print(text.error_json(error) if args.json else "", end="")
        print(text.error_line(error), file=sys.stderr)
        return NO_CONNECTION if isinstance(error, PullFailed) else REFUSED


def _list(store: "Store", args: argparse.Namespace) -> int:
    rows = [text.row(entry, store) for entry in store.catalog.models]
    print(text.as_json(rows) if args.json else text.table(rows))
    return OK


def _pull(store: "Store", args: argparse.Namespace) -> int:
    from edge_node.models.download import Network  # noqa: PLC0415
    from edge_node.models.pull import pull  # noqa: PLC0415

    network = Network(
        mirror=args.mirror or os.environ.get("HELIOVOX_MODELS_MIRROR"),
        proxy=args.proxy,
        stall_s=args.stall,
    )
    for name in args.names:
        bar = text.ProgressBar(name, sys.stderr)
        pull(store, name, network, trust_new=args.trust_new, progress=bar)
        bar.close()
    rows = [text.row(store.catalog.find(name), store) for name in args.names]
    print(text.as_json(rows) if args.json else text.installed(rows))
    return OK


def _verify(store: "Store", args: argparse.Namespace) -> int:
    here = [entry.name for entry in store.catalog.models if store.installed(entry.name)]
    found = {name: store.verify(name) for name in args.names or here}
    print(text.verdicts_json(found) if args.json else text.verdicts(found))
    return FAILED if any(found.values()) else OK


def _import(store: "Store", args: argparse.Namespace) -> int:
    from edge_node.models.pull import import_folder  # noqa: PLC0415

    import_folder(store, args.name, args.folder, trust_new=args.trust_new)
    rows = [text.row(store.catalog.find(args.name), store)]
    print(text.as_json(rows) if args.json else text.installed(rows))
    return OK


def _bench(store: "Store", args: argparse.Namespace) -> int:
    import time  # noqa: PLC0415

    from edge_node.models.bench import bench  # noqa: PLC0415
    from edge_node.stt.loading import load_engine  # noqa: PLC0415

    folder = store.recogniser(args.name).folder
    engine = load_engine(folder, args.backend, args.variant, args.provider)
    batches = [batch for batch in args.batch if batch <= engine.profile.max_batch]
    measured = bench(engine, batches, args.seconds, time.perf_counter)
    print(text.times_json(measured) if args.json else text.times(measured))
    return OK


def _add(
    commands: "Commands[argparse.ArgumentParser]",
    name: str,
    act: Callable[["Store", argparse.Namespace], int],
    what: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--models-dir", type=Path, metavar="DIR", help="where pulled models live")
    parser.set_defaults(run=run, act=act)
    return parser


def _add_pull(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _add(commands, "pull", _pull, "fetch models by name, verify and install them")
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument(
        "--mirror",
        metavar="URL",
        help="fetch the catalogue's file names below this address (HELIOVOX_MODELS_MIRROR)",
    )
    parser.add_argument("--proxy", metavar="URL", help="instead of HTTPS_PROXY and HTTP_PROXY")
    parser.add_argument(
        "--stall",
        type=_seconds,
        default=30.0,
        metavar="SECONDS",
        help="silence after which a connection is taken up anew (default 30)",
    )
    _add_trust(parser)


def _add_verify(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _add(commands, "verify", _verify, "compare models with what was recorded of them")
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all that are here")


def _add_import(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _add(
        commands, "import", _import, "install a model from a folder, where there is no network"
    )
    parser.add_argument("name", metavar="NAME", help="the catalogue's name of the model")
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="holds the archive, or the model's files"
    )
    _add_trust(parser)


def _add_bench(commands: "Commands[argparse.ArgumentParser]") -> None:
    parser = _add(commands, "bench", _bench, "time a recogniser's steps on this machine")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--seconds", type=_seconds, default=10.0, help="of audio (default 10)")
    parser.add_argument(
        "--batch",
        type=_positive,
        nargs="+",
        default=[1, 8, 32],
        help="streams a step (default 1 8 32)",
    )
    parser.add_argument("--backend", choices=["onnx", "sherpa"], default="onnx")
    parser.add_argument("--variant", choices=["fp32", "int8"], default="fp32")
    parser.add_argument("--provider", choices=["cpu", "cuda"], default="cpu")


def _add_trust(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--trust-new",
        action="store_true",
        help="take a file whose checksum nobody knows; it is recorded and held to from then on",
    )


def _folder(args: argparse.Namespace) -> Path | None:
    named = args.models_dir or os.environ.get("HELIOVOX_MODELS_DIR")
    return Path(named) if named else None


def _positive(word: str) -> int:
    if (value := int(word)) < 1:
        raise argparse.ArgumentTypeError(f"{word} is not 1 or more")
    return value


def _seconds(word: str) -> float:
    if not 0 < (value := float(word)) <= 3600:
        raise argparse.ArgumentTypeError(f"{word} is not within 0 and 3600 seconds")
    return value
