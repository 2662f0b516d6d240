"""`heliovox regions`: where there is what."""

import argparse
import sys
from collections.abc import Sequence

from heliovox.cli import centre
from heliovox.cli.exits import Exit
from heliovox.cli.tables import number, table
from heliovox.client.control import ControlPlane
from heliovox.protocol.control import RegionView

_TEXT = """Every region that the control plane knows: whose law holds, nodes that serve among those
that stand there, live sessions, and how many further ones fit."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    parser = commands.add_parser("regions", help="regions and their room", description=_TEXT)
    centre.add_control(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command."""
    regions = centre.ask(ControlPlane.regions, args)
    sys.stdout.write(centre.as_json_lines(regions) if args.json else shown(regions))
    return Exit.OK


def shown(regions: Sequence[RegionView]) -> str:
    """The table."""
    headings = ["REGION", "PLACE", "LAW", "ZONES", "NODES", "HELD", "FITS", "$/H"]
    return table(headings, [_row(region) for region in regions], right="NODES HELD FITS $/H")


def _row(region: RegionView) -> list[str]:
    return [
        region.region,
        f"{region.place.lat:.2f},{region.place.lon:.2f}",
        region.jurisdiction,
        " ".join(sorted(region.zones)),
        f"{region.ready}/{region.nodes}",
        str(region.held),
        str(region.fits.get("recognition", 0)),
        number(region.hourly_cost_usd, 2),
    ]
