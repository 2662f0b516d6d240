"""Why a report was not believed, with field, value and remedy."""

from shared.capacity import CapacityReport
from shared.errors import InvalidMessage, NoRoom


def malformed(reason: str) -> InvalidMessage:
    """No report at all."""
    return InvalidMessage(
        f"not a capacity report: {reason}",
        field="report",
        remedy="bring node and control plane to versions that fit each other",
    )


def not_its_name(subject: str, own: str) -> InvalidMessage:
    """The report names another node or region than the subject that it came on."""
    return InvalidMessage(
        f"the report came on {subject:.120} and names the node of {own:.120}",
        field="node",
        value=subject,
        remedy="give the node the credentials that were made for its name and region",
    )


def unknown_region(report: CapacityReport) -> InvalidMessage:
    """The world has no such region."""
    return InvalidMessage(
        f"there is no region {report.region}",
        field="region",
        value=report.region,
        remedy="name the region in regions.yaml, or mend the node's `region`",
    )


def region_changed(report: CapacityReport, before: str) -> InvalidMessage:
    """A live node of this name stands elsewhere."""
    return InvalidMessage(
        f"{report.node} reports from {before} already",
        field="region",
        value=report.region,
        remedy="give every node a name of its own; one that moves says goodbye first",
    )


def fleet_full(most: int) -> NoRoom:
    """More nodes than the centre keeps."""
    return NoRoom(
        f"the fleet has {most} live nodes",
        field="node",
        value=most,
        remedy="run a control plane with a higher limit",
    )
