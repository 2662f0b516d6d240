"""Which numbers of the node operators see."""

from collections.abc import Callable, Mapping

from edge_node.capacity.admission import Admission
from edge_node.keeping.keeper import Keeper
from edge_node.keeping.sender import Sender
from edge_node.member import Member
from edge_node.protocols.http import HttpNode
from edge_node.protocols.registry import Registry
from edge_node.recovery.service import Recoveries
from edge_node.recovery.watch import Watch
from edge_node.stt.meter import StepMeter
from edge_node.tally import Tally
from shared.metrics import Reading


def connection_readings(registry: Registry) -> list[Reading]:
    """Sockets and what became of them."""
    return [
        Reading("heliovox_edge_connections", "Open connections.", lambda: registry.open),
        Reading(
            "heliovox_edge_silent_connections",
            "Open connections that have not said anything complete yet.",
            lambda: registry.silent,
        ),
        Reading("heliovox_edge_sockets", "Open WebSockets.", lambda: len(registry.sockets)),
        Reading(
            "heliovox_edge_connections_cut",
            "Connections that the node ended, by reason.",
            lambda: registry.ended,
            label="reason",
            counter=True,
        ),
    ]


def session_readings(admission: Admission, tally: Tally, http: HttpNode) -> list[Reading]:
    """Seats, sessions and what came out of them."""
    return [
        Reading("heliovox_edge_streams", "Sessions with a seat.", lambda: admission.taken),
        Reading("heliovox_edge_streams_limit", "Seats.", lambda: admission.limit),
        Reading(
            "heliovox_edge_streams_reserved",
            "Seats held for tickets that have not come.",
            lambda: admission.reserved,
        ),
        Reading("heliovox_edge_draining", "1 while draining.", lambda: float(admission.draining)),
        Reading("heliovox_edge_speeches", "Texts being said over HTTP.", lambda: http.speeches),
        _counts("sessions_started", "Sessions by kind.", tally.started, "kind"),
        _counts("sessions_ended", "Sessions that ended well.", tally.ended, "reason"),
        _counts("errors", "Errors told to callers.", tally.errors, "code"),
        Reading("heliovox_edge_finals", "Finals sent.", lambda: tally.finals, counter=True),
        Reading("heliovox_edge_words", "Words in finals.", lambda: tally.words, counter=True),
    ]


def recovery_readings(recoveries: Recoveries, watch: Watch) -> list[Reading]:
    """Sessions that lost their connection, and what became of them."""
    return [
        Reading(
            "heliovox_edge_sessions_waiting",
            "Sessions without a connection, whose callers may come back.",
            lambda: len(recoveries.parking),
        ),
        _counts(
            "recoveries",
            "Of sessions that go on after a lost connection: what became of them.",
            recoveries.counts,
            "outcome",
        ),
        _counts(
            "invariants_broken",
            "What must always hold, and did not: anything held for nobody.",
            watch.broken,
            "invariant",
        ),
    ]


def device_readings(meter: StepMeter) -> list[Reading]:
    """How the recogniser's device keeps up."""
    return [
        Reading("heliovox_edge_steps", "Calls of the model.", lambda: meter.steps, counter=True),
        Reading("heliovox_edge_chunks", "Chunks stepped.", lambda: meter.chunks, counter=True),
        Reading(
            "heliovox_edge_device_busy_seconds",
            "Time spent in steps.",
            lambda: meter.busy_s,
            counter=True,
        ),
        Reading(
            "heliovox_edge_step_p95_milliseconds",
            "Of the last steps.",
            lambda: meter.read().p95_ms,
        ),
    ]


def member_readings(member: Member) -> list[Reading]:
    """How a node of a fleet stands with it."""
    link, bundles, notes, relays = member.link, member.bundles, member.notes, member.relays
    book, sessions = member.ledger.book, member.ledger.sessions
    return [
        Reading("heliovox_edge_bus_connected", "1 with the bus.", lambda: float(link.connected)),
        Reading(
            "heliovox_edge_bundle_valid",
            "1 while callers with keys can be let in.",
            lambda: float(bundles.rules is not None),
        ),
        Reading(
            "heliovox_edge_bundle_left_seconds",
            "Until the bundle is of no more use; less than 0 since it is.",
            lambda: bundles.held.left_s,
        ),
        Reading(
            "heliovox_edge_clock_ahead_seconds",
            "Of this node before the control plane's clock, less than 0 behind it.",
            lambda: bundles.clock_ahead_s,
        ),
        _counts("sessions_ruled", "Live ones that rules forbade.", member.warden.ruled, "does"),
        _count("bundles_taken_over", "Bundles.", lambda: bundles.taken_over),
        _count("bundles_refused", "Forged, expired or unreadable ones.", lambda: bundles.refused),
        _count("reports", "Capacity reports sent.", lambda: member.reports.sent),
        _count("centre_asked", "Callers that the centre was asked about.", lambda: link.asked),
        _count("centre_unanswered", "Of these, without an answer.", lambda: link.unanswered),
        Reading("heliovox_edge_relays", "Callers passed on now.", lambda: relays.live),
        _count("relays_opened", "Callers passed on.", lambda: relays.opened),
        _count("relays_failed", "Of these, without the other node.", lambda: relays.failed),
        _count("notes_kept", "Notes of sessions, kept.", lambda: notes.kept),
        _count("notes_dropped", "Notes of sessions, lost.", lambda: notes.outbox.dropped),
        Reading(
            "heliovox_edge_ledger_written",
            "1 while the ledger can be written.",
            lambda: float(book.failing is None),
        ),
        Reading("heliovox_edge_ledger_records", "In the ledger.", lambda: book.place.size),
        Reading(
            "heliovox_edge_ledger_signed",
            "Of these, those that the centre has signed for.",
            member.ledger.heads.size,
        ),
        Reading(
            "heliovox_edge_ledger_copied",
            "Of these, those that the region's store has.",
            member.ledger.shipping.copied,
        ),
        _count("ledger_missed", "Records that could not be taken.", lambda: book.missed),
        _count(
            "ledger_undurable",
            "Sessions heard though nothing on disk says so.",
            lambda: sessions.undurable,
        ),
        _count(
            "ledger_refused",
            "Sessions refused, because nothing on disk would have said so.",
            lambda: sessions.refused,
        ),
        Reading("heliovox_edge_notes_waiting", "Not kept yet.", lambda: len(notes.outbox)),
        *content_readings(member.keeper),
    ]


def content_readings(keeper: Keeper) -> list[Reading]:
    """How what is kept of sessions gets to its places."""
    senders = keeper.senders

    def by_place(read: Callable[[Sender], float]) -> Callable[[], Mapping[str, float]]:
        return lambda: {place: read(sender) for place, sender in senders.items()}

    def reading(name: str, text: str, read: Callable[[Sender], float], *, counter: bool) -> Reading:
        return Reading(
            f"heliovox_edge_content_{name}", text, by_place(read), "region", counter=counter
        )

    return [
        reading("connected", "1 with the store.", lambda s: float(s.connected), counter=False),
        reading("waiting", "Pieces not kept yet.", lambda s: len(s.outbox), counter=False),
        reading(
            "waiting_bytes", "Of memory, for them.", lambda s: s.outbox.size_bytes, counter=False
        ),
        reading("kept", "Pieces kept.", lambda s: s.kept, counter=True),
        reading(
            "dropped",
            "Pieces that a place did not get.",
            lambda s: s.outbox.dropped["no_room"] + s.outbox.dropped["too_late"],
            counter=True,
        ),
        _counts("content_lost", "Pieces that are kept nowhere.", keeper.lost, "reason"),
    ]


def _count(name: str, text: str, read: Callable[[], float]) -> Reading:
    return Reading(f"heliovox_edge_{name}", text, read, counter=True)


def _counts(name: str, text: str, counts: Mapping[str, int], label: str) -> Reading:
    return Reading(f"heliovox_edge_{name}", text, lambda: counts, label=label, counter=True)
