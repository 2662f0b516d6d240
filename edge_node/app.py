"""The only place that constructs: settings in, a running node out."""

import asyncio
import secrets
import sys

from edge_node.announcement import Announcer
from edge_node.capacity.admission import Admission
from edge_node.conversation import Conversation, House
from edge_node.engines import engine_maker, gatekeeper_maker, make_speech
from edge_node.files import raise_open_files
from edge_node.key_store import KeyStore
from edge_node.metrics import Metrics
from edge_node.protocols.connections import Door
from edge_node.protocols.http import HttpNode, make_app
from edge_node.protocols.peer import Peer
from edge_node.protocols.registry import Registry
from edge_node.protocols.sockets import SocketLimits
from edge_node.protocols.speech import SpeechOffer
from edge_node.protocols.ticker import Ticker
from edge_node.readings import connection_readings, device_readings, session_readings
from edge_node.server import HttpServer, listen
from edge_node.sessions.limits import Limits
from edge_node.sessions.opening import Offer
from edge_node.settings import EdgeSettings
from edge_node.stopping import Stopping
from edge_node.stt.batcher import BatchRules
from edge_node.stt.service import Recogniser
from edge_node.tally import Tally
from shared.clock import SystemClock
from shared.service import Service, run_all
from shared.tasks import Tasks

TICK_S = 1.0


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
    announcer = Announcer(
        sys.stdout, as_json=as_json, url=f"http://{host}:{listener.getsockname()[1]}"
    )
    if not node.keys.path.exists():
        announcer.key_made("default", node.keys.add("default"))
    stop = asyncio.Event()
    services: list[Service] = [
        node.recogniser,
        node.speech,
        Ticker(node.clock, [node.registry.tick, node.keys.tick], TICK_S),
        HttpServer(listener, node.open_door),
        node.stopping(stop),
        announcer,
    ]
    try:
        await run_all(services, stop)
    finally:
        await node.tasks.end()


class Node:
    """The parts of a node, put together."""

    def __init__(self, settings: EdgeSettings) -> None:
        self.settings, self.clock = settings, SystemClock()
        self.keys = KeyStore(settings.state_dir / "keys.json")
        batch = settings.batch
        self.recogniser = Recogniser(
            engine_maker(settings),
            BatchRules(batch.max_streams, batch.max_wait_ms / 1000),
            self.clock,
            make_gatekeeper=gatekeeper_maker(settings),
        )
        self.speech = make_speech(settings, self.clock)
        self.registry = Registry(settings.connections.limits(raise_open_files()), self.clock)
        self.admission = Admission(settings.node_id, settings.max_streams)
        self.tally, self.tasks = Tally(), Tasks()
        self.http = self._http()

    def open_door(self) -> Door:
        """What connections need, once the recogniser is loaded and its facts are known."""
        house = self._house()

        def converse(peer: Peer, authenticated: bool) -> Conversation:  # noqa: FBT001 a state
            return Conversation(peer, house, authenticated=authenticated)

        return Door(
            node=self.settings.node_id,
            app=make_app(self.http),
            registry=self.registry,
            knows=self.keys.knows,
            converse=converse,
            limits=SocketLimits(liveness=self.settings.connections.liveness),
        )

    def stopping(self, stop: asyncio.Event) -> Stopping:
        """What ends the node in order."""
        return Stopping(
            self.registry,
            self.admission,
            lambda: len(self.registry.sockets) + self.http.speeches,
            self.settings.drain_s,
            self.clock,
            stop,
        )

    def _http(self) -> HttpNode:
        settings = self.settings
        http = HttpNode(
            name=settings.node_id,
            knows=self.keys.knows,
            speaker=self.speech,
            offer=SpeechOffer(self.speech.voices, settings.max_text_characters),
            checks={
                "recogniser": self.recogniser.check,
                "speech": self.speech.check,
                "admission": lambda: "draining" if self.admission.draining else None,
            },
            draining=lambda: self.admission.draining,
            max_speeches=settings.max_speeches,
        )
        http.metrics = Metrics(
            [
                *connection_readings(self.registry),
                *session_readings(self.admission, self.tally, http),
                *device_readings(self.recogniser.device.meter),
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
        )
        return House(
            offer=offer,
            limits=self._limits(),
            admission=self.admission,
            device=self.recogniser.device,
            speaker=self.speech,
            tasks=self.tasks,
            is_key=self.keys.knows,
            new_id=lambda: secrets.token_hex(8),
            tally=self.tally,
        )

    def _limits(self) -> Limits:
        sessions = self.settings.sessions
        return Limits(
            backlog_s=sessions.backlog_s,
            start_within_s=sessions.start_s,
            silent_s=sessions.silent_s,
            text_characters=self.settings.max_text_characters,
        )
