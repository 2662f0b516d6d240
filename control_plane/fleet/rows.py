"""The fleet as operators read it."""

from collections import Counter
from collections.abc import Iterable

from control_plane.fleet.columns import Member
from control_plane.fleet.states import State
from control_plane.fleet.view import FleetView
from heliovox.protocol.control import NodeView, RegionView
from shared.regions.model import Region, World


def node_row(view: FleetView, at: int, member: Member, now_s: float) -> NodeView:
    """One node: what it last said, and what the centre makes of it."""
    report = member.report
    return NodeView(
        node=report.node,
        region=report.region,
        state=State(int(view.state[at])).label,
        tier=report.tier,
        url=report.url,
        version=report.version,
        held=report.held,
        limit=report.limit,
        reserved=report.reserved,
        fits=_fits(view, at, report.kinds),
        step_p95_ms=report.step_p95_ms,
        age_s=max(0.0, now_s - member.boots.heard_s),
        languages=report.languages,
        models=report.models,
        clock_skew_s=member.skew_s,
        policy_version=report.policy_version,
        share=float(view.share[at]),
        history_ms=float(view.history_ms[at]),
        bundle_version=report.bundle_version,
    )


def region_rows(view: FleetView, world: World) -> tuple[RegionView, ...]:
    """Every region; its room is that of the nodes that take sessions."""
    by_region: dict[str, list[int]] = {name: [] for name in sorted(world.regions)}
    for at in range(len(view.nodes)):
        if view.state[at] != State.DEAD:
            by_region[view.roster.region_of(at)].append(at)
    return tuple(
        _region_row(view, world, world.regions[name], nodes) for name, nodes in by_region.items()
    )


def _region_row(view: FleetView, world: World, region: Region, nodes: list[int]) -> RegionView:
    ready = [at for at in nodes if view.state[at] == State.READY]
    fits: Counter[str] = Counter()
    for at in ready:
        fits.update(_fits(view, at, view.roster.offers[view.roster.offer[at]].kinds))
    return RegionView(
        region=region.name,
        place=region.place,
        time_zone=region.time_zone,
        jurisdiction=region.jurisdiction,
        zones=tuple(sorted(z for z, law in world.zones.items() if region.jurisdiction in law)),
        hourly_cost_usd=region.hourly_cost_usd,
        nodes=len(nodes),
        ready=len(ready),
        held=int(sum(view.held[at] for at in nodes)),
        fits=dict(sorted(fits.items())),
        load=_loads(view, region.name),
    )


def _fits(view: FleetView, at: int, kinds: Iterable[str]) -> dict[str, int]:
    rows = view.roster.kinds
    return {kind: int(view.fits[rows.index(kind), at]) for kind in sorted(kinds)}


def _loads(view: FleetView, region: str) -> dict[str, float]:
    at, roster = view.roster.atlas.index[region], view.roster
    return {kind: round(float(view.load[row, at]), 4) for row, kind in enumerate(roster.kinds)}
