"""The parts that make a node a member of a fleet, put together. Only `app.py` constructs it."""

import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import msgspec

from edge_node.capacity.admission import Admission
from edge_node.capacity.reports import Reports
from edge_node.centre.answers import Abilities, Commands, Obedient, reserve
from edge_node.centre.bundles import ANSWER_S, Bundles
from edge_node.centre.desk import FleetDesk
from edge_node.centre.earshot import Earshot
from edge_node.centre.identity import Identity, boot_of
from edge_node.centre.link import Dial, Link
from edge_node.centre.notes import Notes
from edge_node.centre.public_key import read_public_key
from edge_node.centre.review import Ruling
from edge_node.centre.seeking import LawfulSeat
from edge_node.centre.warden import Live, Warden
from edge_node.desk import Terms
from edge_node.keeping.parts import StoreDial, make_keeper
from edge_node.keeping.transcripts import Transcripts, deleted_record
from edge_node.ledger.parts import Around, make_ledger
from edge_node.relaying import Relays
from edge_node.settings import EdgeSettings
from edge_node.stt.meter import StepTimes
from heliovox import __version__
from heliovox.client.address import stream_url
from heliovox.protocol.messages import KINDS, Start
from shared import subjects
from shared.bus import Bus, Handler
from shared.capacity import CapacityReport, KindRoom
from shared.clock import Clock, wall_ms, wall_s
from shared.content.records import Deletion
from shared.errors import BusFailed, VoiceError
from shared.exchange import Command, Reserve
from shared.policy import CompiledPolicy
from shared.pseudonyms import PseudonymKey, read_pseudonym_key

HEAD_S = 2.0
"""For the centre to sign a head of the ledger."""
BUNDLE_FILE = "bundle.jwt"
LEDGER = "ledger"
"""The folder of it, in the state's."""
T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True)
class Node:
    """What the fleet's parts read of the node they belong to, each time anew."""

    admission: Admission
    abilities: Callable[[], Abilities]
    steps: Callable[[], StepTimes]
    queue: Callable[[], int]
    healthy: Callable[[], bool]
    faults: Callable[[], int]
    stopping: Callable[[], bool]
    told: Obedient
    sessions: Callable[[], Iterable[Live]]


class Member:
    """The node's place in its fleet.

    Args:
        settings: with a region.
        node: the rest of it.
        dial: connects to the bus.
        dial_store: connects to a server that keeps content.
        new_id: names a session.
    """

    def __init__(
        self,
        settings: EdgeSettings,
        node: Node,
        clock: Clock,
        dial: Dial,
        dial_store: StoreDial,
        new_id: Callable[[], str],
    ) -> None:
        assert settings.region is not None
        assert settings.centre.public_key_file is not None
        self._settings, self._node, self._clock = settings, node, clock
        self.who = Identity(
            settings.node_id, settings.region, boot_of(wall_s(), secrets.token_bytes(4))
        )
        self.url = ""
        self._earshot = Earshot()
        key = read_public_key(settings.centre.public_key_file)
        self.link = Link(self.who, dial, self._lines(), clock)
        self.reports = Reports(
            self.report, self._publish_report, lambda: self.link.connected, clock
        )
        self.bundles = Bundles(
            self._fetch_bundle,
            settings.state_dir / BUNDLE_FILE,
            self.who.region,
            key,
            clock,
            wall_s,
            self._rules_changed,
        )
        self.notes = Notes(self._keep_note, clock)
        self.keeper = make_keeper(
            settings.content,
            settings.state_dir,
            self.who,
            lambda: self.bundles.held.rules,
            dial_store,
            clock,
            self._note_deleted,
        )
        self.transcripts = Transcripts(self.who, self.keeper, wall_ms)
        self.relays = Relays(settings.max_relays, self.who.node)
        self.commands = Commands(node.admission, node.told, node.stopping)
        around = Around(
            self.who,
            key,
            self._policy,
            lambda tenant, caller: self.desk.pseudonym(tenant, caller),  # noqa: PLW0108 made below
            self._show_head,
            _own_store(settings, dial_store),
        )
        self.ledger = make_ledger(settings.ledger, settings.state_dir / LEDGER, around, clock)
        self.desk = FleetDesk(
            who=self.who,
            admission=node.admission,
            held=lambda: self.bundles.held,
            centre=self.link,
            relays=self.relays,
            key=key,
            clock=clock,
            wall_s=wall_s,
            new_id=new_id,
            note_down=self.notes.add,
            ledger=self.ledger.sessions,
            pseudonyms=_pseudonyms(settings),
        )
        self.warden = Warden(
            node.sessions, lambda: self.bundles.held, self.who.region, wall_ms, self._seek
        )
        node.admission.changed = self.reports.changed

    def listens_at(self, url: str) -> None:
        """Where callers reach the node, unless a setting says otherwise."""
        self.url = stream_url(self._settings.public_url or url)

    def tick(self) -> None:
        """About once a second."""
        self._node.admission.expire(self._clock.now_s())
        self.ledger.sessions.tick()
        self.warden.look()
        self._earshot.look(self._clock.now_s(), connected=self.link.connected)

    def heard_for(self, least_s: float) -> bool:
        """Whether the fleet could be heard for so long, without a break."""
        return self._earshot.for_at_least(least_s, self._clock.now_s())

    def _rules_changed(self) -> None:
        self.warden.look()
        self.reports.changed()

    def _seek(self, start: Start, kind: str, terms: Terms, ruling: Ruling) -> LawfulSeat:
        return LawfulSeat(start, kind, terms, ruling, self.link)

    def report(self, seq: int, goodbye: bool) -> CapacityReport:  # noqa: FBT001 a state
        """The node as it is now."""
        node, admission, settings = self._node, self._node.admission, self._settings
        abilities, steps, bundle = node.abilities(), node.steps(), self.bundles.bundle
        return CapacityReport(
            node=self.who.node,
            region=self.who.region,
            boot=self.who.boot,
            seq=seq,
            at_ms=round(wall_s() * 1000),
            url=self.url,
            version=__version__,
            kinds={
                kind: KindRoom(
                    admission.held[kind], admission.fits(kind) if abilities.can(kind) else 0
                )
                for kind in KINDS
            },
            limit=admission.limit,
            limited_by="max_streams" if admission.limited_by_setting else "calibration",
            reserved=admission.reserved,
            languages=abilities.languages,
            models=abilities.models,
            voices=abilities.voices,
            step_p50_ms=round(steps.p50_ms, 3),
            step_p95_ms=round(steps.p95_ms, 3),
            queue=node.queue(),
            tier=settings.tier,
            draining=admission.draining,
            healthy=node.healthy(),
            faults=node.faults(),
            policy_version=None if bundle is None else bundle.policy_version,
            bundle_version=None if bundle is None else bundle.version,
            goodbye=goodbye,
        )

    # --- the bus ---

    def _lines(self) -> dict[str, Handler]:
        region, node = self.who.region, self.who.node
        return {
            subjects.reserve(region, node): self._asked_for_a_seat,
            subjects.command(region, node): self._commanded,
            subjects.NEWS: self._news,
        }

    async def _asked_for_a_seat(self, _subject: str, data: bytes) -> bytes:
        ask = _understood(data, Reserve)
        node = self._node
        answer = reserve(
            ask,
            self.who,
            node.admission,
            node.abilities(),
            self.bundles.held,
            self._clock.now_s(),
            wall_ms(),
        )
        return msgspec.json.encode(answer)

    async def _commanded(self, _subject: str, data: bytes) -> bytes:
        return msgspec.json.encode(self.commands.obey(_understood(data, Command)))

    async def _news(self, subject: str, data: bytes) -> None:
        await self.bundles.news(subject, data)

    async def _fetch_bundle(self) -> bytes:
        subject = subjects.bundle(self.who.region, self.who.node)
        return await self.link.request(subject, b"", ANSWER_S)

    async def _show_head(self, data: bytes) -> bytes:
        return await self.link.request(subjects.head(self.who.region, self.who.node), data, HEAD_S)

    def _policy(self, terms: Terms) -> CompiledPolicy | None:
        """What a session that was let in goes by; None where the rules of now do not say."""
        try:
            return self.bundles.held.effective(terms.policy, terms.facts, wall_ms())
        except VoiceError:
            return None

    def recovery_s(self, terms: Terms) -> float | None:
        """How long its policy lets a session go on after a loss; None for as the node does."""
        policy = self._policy(terms)
        return None if policy is None else policy.recovery_s

    def _note_deleted(self, receipt: Deletion) -> None:
        self.ledger.book.note([deleted_record(receipt)])

    async def _publish_report(self, data: bytes) -> None:
        await self.link.publish(subjects.report(self.who.region, self.who.node), data)

    async def _keep_note(self, data: bytes, note_id: str) -> None:
        await self.link.keep(subjects.note(self.who.region, self.who.node), data, note_id)


def _own_store(settings: EdgeSettings, dial: StoreDial) -> Callable[[], Awaitable[Bus]] | None:
    """How to reach the store of the node's own region, where it has one."""
    url = settings.content.servers.get(settings.region or "")
    return None if url is None else partial(dial, url)


def _pseudonyms(settings: EdgeSettings) -> PseudonymKey | None:
    file = settings.content.pseudonym_key_file
    return None if file is None else read_pseudonym_key(file)


def _understood(data: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        raise BusFailed(f"not a {kind.__name__}: {error}") from error
