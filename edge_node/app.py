"""The only place that constructs: settings in, a running node out."""

import asyncio
import secrets
import sys
from collections.abc import Callable

from edge_node.arriving import Arrival
from edge_node.capacity.admission import Admission
from edge_node.capacity.calibration import Calibration
from edge_node.centre.answers import Abilities
from edge_node.centre.link import Dial
from edge_node.centre.texts import TextAccounts
from edge_node.conversation import Conversation
from edge_node.desk import Accounts, Desk, KeyDesk
from edge_node.engines import engine_maker, gatekeeper_maker, make_speech
from edge_node.house import House
from edge_node.keeping.parts import StoreDial
from edge_node.keeping.transcripts import NoRecord
from edge_node.key_store import KeyStore
from edge_node.member import Member
from edge_node.member import Node as NodeRead
from edge_node.obeying import Sessions
from edge_node.protocols.connections import Door
from edge_node.protocols.gathering import Gatherer
from edge_node.protocols.http import HttpNode, make_app
from edge_node.protocols.peer import Peer, Shown
from edge_node.protocols.registry import Registry
from edge_node.protocols.sockets import SocketLimits
from edge_node.protocols.speech import SpeechOffer
from edge_node.protocols.ticker import Ticker
from edge_node.readings import (
    connection_readings,
    device_readings,
    member_readings,
    recovery_readings,
    session_readings,
)
from edge_node.recovery.service import Recoveries
from edge_node.recovery.watch import Watch
from edge_node.relaying import Relays
from edge_node.server import door_config
from edge_node.sessions.limits import Limits
from edge_node.sessions.opening import Offer
from edge_node.settings import EdgeSettings
from edge_node.stopping import Stopping
from edge_node.stt.batcher import BatchRules
from edge_node.stt.service import Recogniser
from edge_node.tally import Tally
from shared.announcement import Announcer
from shared.bus import Bus
from shared.clock import SystemClock
from shared.credentials import read_seed
from shared.files import raise_open_files
from shared.metrics import Metrics
from shared.nats_permissions import inbox, writer_inbox
from shared.server import HttpServer, listen
from shared.service import Service, run_all
from shared.tasks import Tasks

TICK_S = 1.0
HEARD_S = 5.0
"""With the bus, before sessions end whose callers did not come back: if they went on elsewhere,
the control plane says so within that time."""


def bus_dial(settings: EdgeSettings) -> Dial:
    """Connects to the region's server with the node's own credentials."""
    url, node = settings.bus.url, settings.node_id
    assert url is not None

    async def dial() -> Bus:
        from shared.bus.nats_bus import NatsBus  # noqa: PLC0415 a node alone needs no NATS

        return await NatsBus.connect(
            url, settings.bus.seed_file, name=node, inbox_prefix=inbox(node), wait_s=0
        )

    return dial


def store_dial(settings: EdgeSettings) -> StoreDial:
    """Connects to servers that keep content, with the node's key for those.

    Raises CredentialsRefused at once where the node has stores and no key to them.
    """
    seed_file, node, region = settings.content.seed_file, settings.node_id, settings.region
    if seed_file is not None:
        read_seed(seed_file)

    async def dial(url: str) -> Bus:
        from shared.bus.nats_bus import NatsBus  # noqa: PLC0415 a node alone needs no NATS

        assert region is not None
        answers = writer_inbox(region, node)
        return await NatsBus.connect(url, seed_file, name=node, inbox_prefix=answers, wait_s=0)

    return dial


def _new_id() -> str:
    return secrets.token_hex(8)


async def serve(settings: EdgeSettings, *, as_json: bool) -> None:
    """Runs a node until it is told to stop.

    Raises:
        OSError: the port cannot be had, or the state cannot be written.
        KeysUnreadable: the keys file is not one.
        ModelRefused: a model that is not there, or not what it says.
        ExceptionGroup: a part failed while starting or later.
    """
    node = Node(settings)
    listener = listen(settings.host, settings.port)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"http://{host}:{listener.getsockname()[1]}"
    announcer = Announcer("heliovox-edge", sys.stdout, as_json=as_json, url=url)
    if node.keys is not None and not node.keys.path.exists():
        announcer.key_made("default", node.keys.add("default"))
    stop = asyncio.Event()
    door = HttpServer(listener, lambda: door_config(node.open_door()))
    try:
        await run_all([*node.services(url, door, node.stopping(stop)), announcer], stop)
    finally:
        await node.tasks.end()


class Node:
    """The parts of a node, put together.

    Args:
        dial_of: how a node with these settings connects to the bus.
        store_dial_of: likewise to servers that keep content.
    """

    def __init__(
        self,
        settings: EdgeSettings,
        dial_of: Callable[[EdgeSettings], Dial] = bus_dial,
        store_dial_of: Callable[[EdgeSettings], StoreDial] = store_dial,
    ) -> None:
        self.settings, self.clock = settings, SystemClock()
        self._dial_of, self._store_dial_of = dial_of, store_dial_of
        self.admission = Admission(settings.node_id, settings.max_streams)
        self.speech = make_speech(settings, self.clock)
        self.calibration = Calibration(settings, self.speech, self.clock, self.admission.measured)
        batch = settings.batch
        self.recogniser = Recogniser(
            self.calibration.wrapped(engine_maker(settings)),
            BatchRules(batch.max_streams, batch.max_wait_ms / 1000),
            self.clock,
            make_gatekeeper=gatekeeper_maker(settings),
        )
        self.registry = Registry(settings.connections.limits(raise_open_files()), self.clock)
        self.gatherer = Gatherer(settings.connections.gather, self.clock)
        self.tally, self.tasks = Tally(), Tasks()
        self.live: dict[str, Conversation] = {}
        self.passed: set[Conversation] = set()
        self.arriving: set[Arrival] = set()
        self.recoveries = Recoveries(
            settings.recovery.rules,
            self.clock,
            secrets.token_bytes,
            settings.centre.api_url,
            may_end=lambda: self.member is None or self.member.heard_for(HEARD_S),
            elsewhere=lambda: self.member is not None and self.member.link.connected,
            policy_s=lambda terms: None if self.member is None else self.member.recovery_s(terms),
        )
        self.watch = Watch(
            self.admission,
            self.recogniser.device,
            self.recoveries,
            self.live,
            self.arriving,
            self._connected,
        )
        self.keys: KeyStore | None = None
        self.member: Member | None = None
        self.desk, self.accounts = self._desk()
        self.http = self._http()

    def open_door(self) -> Door:
        """What connections need, once the recogniser is loaded and its facts are known."""
        house = self._house()

        def converse(peer: Peer, shown: Shown) -> Conversation:
            return Conversation(peer, house, shown)

        return Door(
            node=self.settings.node_id,
            app=make_app(self.http),
            registry=self.registry,
            gatherer=self.gatherer,
            doubt=self.desk.doubt,
            converse=converse,
            limits=SocketLimits(liveness=self.settings.connections.liveness),
        )

    def stopping(self, stop: asyncio.Event) -> Stopping:
        """What ends the node in order."""
        return Stopping(
            self.registry,
            self.admission,
            lambda: len(self.registry.sockets) + self.http.speeches,
            lambda: self.recoveries.may_be_given_up,
            self.settings.drain_s,
            self.clock,
            stop,
        )

    def services(self, url: str, door: Service, stopping: Service) -> list[Service]:
        """All there is, in the order of starting; the fleet hears of the node last.

        Args:
            url: where the node listens.
            door: its port.
            stopping: what ends it.
        """
        ticks = [self.registry.tick, self.recoveries.tick, self.watch.look]
        if self.keys is not None:
            ticks.append(self.keys.tick)
        first: list[Service] = [self.recogniser, self.speech, self.calibration]
        if (member := self.member) is None:
            ticker = Ticker(self.clock, ticks, TICK_S)
            return [*first, ticker, self.gatherer, door, stopping]
        member.listens_at(url)
        ticker = Ticker(self.clock, [*ticks, member.tick], TICK_S)
        ledger = member.ledger
        lines: list[Service] = [
            ledger.book,
            member.link,
            member.bundles,
            member.notes,
            member.keeper,
        ]
        lines += [ledger.shipping, ledger.heads]
        return [*first, *lines, ticker, self.gatherer, door, stopping, member.reports]

    def _desk(self) -> tuple[Desk, Accounts]:
        settings = self.settings
        if settings.region is None:
            keys = self.keys = KeyStore(settings.state_dir / "keys.json")
            return KeyDesk(self.admission, keys.knows, _new_id), Accounts(keys.knows)
        member = self.member = Member(
            settings,
            self._as_read(),
            self.clock,
            self._dial_of(settings),
            self._store_dial_of(settings),
            _new_id,
        )
        return member.desk, TextAccounts(member.desk)

    def _as_read(self) -> NodeRead:
        return NodeRead(
            admission=self.admission,
            abilities=self._abilities,
            steps=self.recogniser.device.meter.read,
            queue=lambda: self.recogniser.device.waiting,
            healthy=lambda: not any((self.recogniser.check(), self.speech.check())),
            faults=lambda: self.tally.faults,
            stopping=lambda: self.registry.draining,
            told=Sessions(self.live, self.recoveries),
            sessions=lambda: [*self.live.values(), *self.passed],
        )

    def _connected(self) -> set[Conversation]:
        talks = (getattr(one, "conversation", None) for one in self.registry.sockets)
        return {talk for talk in talks if isinstance(talk, Conversation)}

    def _abilities(self) -> Abilities:
        profile = self.recogniser.device.profile
        return Abilities(profile.languages, (profile.model,), self.speech.voices)

    def _http(self) -> HttpNode:
        settings, member = self.settings, self.member
        checks = {
            "recogniser": self.recogniser.check,
            "speech": self.speech.check,
            "admission": lambda: "draining" if self.admission.draining else None,
        }
        if member is not None:
            checks["bundle"] = member.bundles.check
            checks["clock"] = member.bundles.check_clock
        http = HttpNode(
            name=settings.node_id,
            accounts=self.accounts,
            speaker=self.speech,
            offer=SpeechOffer(self.speech.voices, settings.max_text_characters),
            checks=checks,
            draining=lambda: self.admission.draining,
            max_speeches=settings.max_speeches,
        )
        http.metrics = Metrics(
            [
                *connection_readings(self.registry),
                *session_readings(self.admission, self.tally, http),
                *recovery_readings(self.recoveries, self.watch),
                *device_readings(self.recogniser.device.meter),
                *([] if member is None else member_readings(member)),
            ]
        )
        return http

    def _house(self) -> House:
        profile = self.recogniser.device.profile
        per_ms = profile.sample_rate / 1000
        offer = Offer(
            node=self.settings.node_id,
            languages=profile.languages,
            models=(profile.model,),
            voices=self.speech.voices,
            chunk_ms=round(profile.chunk_samples / per_ms),
            lookahead_ms=round(profile.lookahead_samples / per_ms),
            graphs=profile.graphs,
            graph=profile.graph,
            region=self.settings.region,
        )
        return House(
            offer=offer,
            limits=self._limits(),
            desk=self.desk,
            device=self.recogniser.device,
            speaker=self.speech,
            tasks=self.tasks,
            recoveries=self.recoveries,
            tally=self.tally,
            relays=Relays() if self.member is None else self.member.relays,
            record=NoRecord() if self.member is None else self.member.transcripts,
            live=self.live,
            arriving=self.arriving,
            passed=self.passed,
            ledger=None if self.member is None else self.member.ledger.sessions,
        )

    def _limits(self) -> Limits:
        sessions = self.settings.sessions
        return Limits(
            backlog_s=sessions.backlog_s,
            start_within_s=sessions.start_s,
            silent_s=sessions.silent_s,
            text_characters=self.settings.max_text_characters,
        )
