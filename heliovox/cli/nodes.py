"""`heliovox nodes`: every node as the control plane sees it."""

import argparse
import sys
from collections.abc import Sequence

from heliovox.cli import centre
from heliovox.cli.exits import Exit
from heliovox.cli.tables import number, table
from heliovox.client.control import ControlPlane
from heliovox.protocol.control import NodeView

_TEXT = """Every node, as its last report says: its state, the sessions that it holds among those it
carries at most, seats held for callers on their way, further sessions of recognition that fit, the
recogniser's step time (95 of 100 are faster), and how old the report is."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    parser = commands.add_parser("nodes", help="nodes and their state", description=_TEXT)
    centre.add_control(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command."""
    nodes = centre.ask(ControlPlane.nodes, args)
    sys.stdout.write(centre.as_json_lines(nodes) if args.json else shown(nodes))
    return Exit.OK


def shown(nodes: Sequence[NodeView]) -> str:
    """The table."""
    headings = ["NODE", "REGION", "STATE", "TIER", "HELD", "DUE", "FITS", "P95-MS", "AGE-S", "URL"]
    return table(headings, [_row(node) for node in nodes], right="HELD DUE FITS P95-MS AGE-S")


def _row(node: NodeView) -> list[str]:
    return [
        node.node,
        node.region,
        node.state,
        node.tier,
        f"{node.held}/{node.limit}",
        str(node.reserved),
        str(node.fits.get("recognition", 0)),
        number(node.step_p95_ms),
        number(node.age_s),
        node.url,
    ]
