"""Which numbers of a control plane operators see."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from control_plane.asks import Asks
from control_plane.bundles.service import Bundles
from control_plane.decisions import Decisions
from control_plane.feed import Feed
from control_plane.gate import Gate
from control_plane.giving_up import GivingUp
from control_plane.going_on import GoingOn
from control_plane.moving import Moving
from control_plane.placing import Placer
from control_plane.probing import Probing
from control_plane.publishing import Publishing
from control_plane.recording import Recording
from control_plane.repeats import Repeats
from control_plane.reserving import Reserving
from control_plane.seats_ahead import SeatsAhead
from control_plane.sessions.service import Notes
from control_plane.sessions.table import SessionTable
from control_plane.sessions.usage import Usage
from control_plane.tenants.service import Tenants
from control_plane.waiting import Waiting
from control_plane.world import RegionsFile
from shared.bus import Bus
from shared.metrics import Reading

PREFIX = "heliovox_control_"
T = TypeVar("T")


def fleet_readings(feed: Feed, probing: Probing, bus: Bus) -> list[Reading]:
    """Nodes, their reports, and the bus that they come over."""
    return [
        _number("nodes", "Nodes by state.", feed.states, "state"),
        _count("reports", "Reports by what became of them.", lambda: feed.heard, "outcome"),
        _number("nodes_ramping", "Nodes that failed lately.", feed.ramping),
        _count("probes", "Probes of nodes by outcome.", lambda: probing.answers, "outcome"),
        _number("nodes_probes_failing", "Nodes whose last probe failed.", probing.failing),
        _number("regions_in_service", "Regions with nodes.", lambda: len(feed.in_service.regions)),
        _number("bus_connected", "1 while connected.", lambda: float(bus.connected)),
        _count("bus_refused", "What the bus denied to us.", lambda: bus.refused),
        _count("bus_dropped", "Messages that came too fast.", lambda: bus.dropped),
    ]


def session_readings(table: SessionTable, usage: Usage, notes: Notes) -> list[Reading]:
    """Sessions and what they used."""
    return [
        _number("sessions", "Sessions remembered, by state.", table.counts, "state"),
        _count("notes", "Notes of nodes taken.", lambda: notes.taken),
        _count("notes_refused", "Notes that are none.", lambda: notes.refused),
        _count(
            "audio_seconds",
            "Heard, by region, as far back as notes are kept.",
            lambda: {where: ms / 1000 for where, ms in usage.totals("audio_ms").items()},
            "region",
        ),
        _count("characters", "Said, likewise.", lambda: usage.totals("characters"), "region"),
    ]


def going_on_readings(
    going_on: GoingOn, moving: Moving, ahead: SeatsAhead, giving_up: GivingUp
) -> list[Reading]:
    """Sessions that go on at another node."""
    return [
        _count("resumes", "Asked for, by outcome.", lambda: going_on.outcomes, "outcome"),
        _count("moves", "Sessions to be moved, by outcome.", lambda: moving.outcomes, "outcome"),
        _number("seats_ahead", "Held for sessions on their way.", lambda: len(ahead)),
        _number("sessions_twice", "At two nodes: 0 but for moments.", lambda: len(giving_up)),
        _count("give_ups", "Nodes told, by answer.", lambda: giving_up.answers, "answer"),
    ]


def placement_readings(
    placer: Placer,
    reserving: Reserving,
    decisions: Decisions,
    publishing: Publishing,
    recording: Recording,
) -> list[Reading]:
    """What became of orders, and what nodes answered."""
    return [
        _count("orders", "Sessions asked for, by outcome.", lambda: placer.outcomes, "outcome"),
        _count("seats_asked", "Seats asked for, by answer.", lambda: reserving.answers, "answer"),
        _number("decisions", "Decisions remembered.", lambda: len(decisions)),
        _count("decisions_kept", "Decisions that others can read.", lambda: publishing.kept),
        _count("decisions_dropped", "Likewise, that they cannot.", lambda: publishing.dropped),
        _count("records_kept", "Batches of records kept.", lambda: recording.kept),
        _count("records_dropped", "Records lost to a slow stream.", lambda: recording.dropped),
    ]


def turn_readings(gate: Gate, repeats: Repeats[T]) -> list[Reading]:
    """Requests for sessions that stand in line for their turn, and those that came again."""
    return [
        _number("turns_waiting", "Requests in line for their turn.", lambda: gate.waiting),
        _count("turned_away", "Requests whose turn did not come.", lambda: gate.turned_away),
        _count("repeats", "Requests answered as the first time.", lambda: repeats.repeated),
    ]


def service_readings(
    asks: Asks, bundles: Bundles, waiting: Waiting, tenants: Tenants, regions: RegionsFile
) -> list[Reading]:
    """Nodes' questions, callers who wait, keys and policies."""
    return [
        _count("asks_answered", "Nodes' asks that got a seat.", lambda: asks.answered),
        _count("asks_refused", "Nodes' asks that got none.", lambda: asks.refused),
        _count("bundles", "Bundles handed to nodes.", lambda: bundles.handed_out),
        _count("news", "Announcements of another bundle.", lambda: bundles.announcements),
        _number("waiting", "Callers who wait for a seat.", lambda: len(waiting)),
        _count("waiting_served", "Who waited and got one.", lambda: waiting.served),
        _count("waiting_given_up", "Who waited and got none.", lambda: waiting.given_up),
        _count("waiting_crowded_out", "Whom too many were before.", lambda: waiting.crowded_out),
        _count("waiting_left", "Who left before his time was up.", lambda: waiting.went),
        _count(
            "waiting_estimates",
            "Waits that were within what was first said, shorter, or longer.",
            waiting.honesty.counts,
            "outcome",
        ),
        _number("keys", "Valid keys.", lambda: len(tenants.keyring)),
        _number(
            "regions_fault",
            "1 while the regions file is not what holds.",
            lambda: float(regions.fault is not None),
        ),
        _count("regions_refused", "Regions files not taken over.", lambda: regions.refused),
    ]


def _number(
    name: str,
    text: str,
    read: Callable[[], float | Mapping[str, float]],
    label: str | None = None,
) -> Reading:
    return Reading(PREFIX + name, text, read, label=label)


def _count(
    name: str,
    text: str,
    read: Callable[[], float | Mapping[str, float]],
    label: str | None = None,
) -> Reading:
    return Reading(PREFIX + name, text, read, label=label, counter=True)
