"""When a world is ready. Pure."""

from collections.abc import Iterable, Sequence

from heliovox.protocol.control import BundleView, NodeView


def what_is_missing(
    wanted: Iterable[tuple[str, str]], nodes: Sequence[NodeView], bundle: BundleView
) -> list[str]:
    """What keeps a caller from being served as he will be from then on; empty once nothing does.

    Args:
        wanted: nodes and their regions.
        nodes: as the centre sees them.
        bundle: what the centre has nodes admit by.
    """
    seen = {node.node: node for node in nodes}
    missing: list[str] = []
    for name, region in wanted:
        node = seen.get(name)
        if node is None:
            missing.append(f"{name} has not reported")
        elif node.state != "ready":
            missing.append(f"{name} is {node.state}")
        elif node.bundle_version != bundle.version:
            missing.append(f"{name} admits by older rules")
        if region not in bundle.in_service:
            missing.append(f"{region} is not in service")
    return missing
