"""`heliovox nodes`: every node as the control plane sees it."""

import argparse
import sys
from collections.abc import Sequence

from heliovox.cli import centre
from heliovox.cli.exits import Exit
from heliovox.cli.tables import number, table
from heliovox.client.control import ControlPlane
from heliovox.protocol.control import BundleView, NodeView

_TEXT = """Every node, as its last report says: its state, the sessions that it holds among those it
carries at most, seats held for callers on their way, further sessions of recognition that fit, the
recogniser's step time (95 of 100 are faster), how old the report is, and whether the node admits by
the rules of now (policies, keys, regions in service), is behind them, or has none."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    parser = commands.add_parser("nodes", help="nodes and their state", description=_TEXT)
    centre.add_control(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command."""
    nodes, bundle = centre.ask(_nodes_and_bundle, args)
    sys.stdout.write(centre.as_json_lines(nodes) if args.json else shown(nodes, bundle.version))
    return Exit.OK


async def _nodes_and_bundle(plane: ControlPlane) -> tuple[Sequence[NodeView], BundleView]:
    return await plane.nodes(), await plane.bundle()


def shown(nodes: Sequence[NodeView], current: str) -> str:
    """The table.

    Args:
        nodes: its rows.
        current: the version of what nodes should admit by.
    """
    headings = "NODE REGION STATE TIER HELD DUE FITS P95-MS AGE-S RULES URL"
    right = "HELD DUE FITS P95-MS AGE-S"
    return table(headings.split(), [_row(node, current) for node in nodes], right=right)


def _rules(node: NodeView, current: str) -> str:
    if node.bundle_version is None:
        return "none"
    return "current" if node.bundle_version == current else "behind"


def _row(node: NodeView, current: str) -> list[str]:
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
        _rules(node, current),
        node.url,
    ]
