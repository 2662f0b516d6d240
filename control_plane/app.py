"""The only place that constructs: settings in, a running control plane out."""

import asyncio
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn
from numpy.random import default_rng

from control_plane.api.app import make_front
from control_plane.api.centre import Centre
from control_plane.asks import Asks
from control_plane.bundles.behind import Behind
from control_plane.bundles.build import make_bundle
from control_plane.bundles.service import Bundles
from control_plane.call_backs import CallBacks
from control_plane.claims import Claims
from control_plane.commands import Commands
from control_plane.decisions import Decisions
from control_plane.draining import Draining
from control_plane.ending import Ending
from control_plane.feed import Feed
from control_plane.fleet import Fleet
from control_plane.gate import Gate
from control_plane.giving_up import GivingUp
from control_plane.going_on import GoingOn
from control_plane.ids import decision_ids
from control_plane.ledger.statements import Statements
from control_plane.ledger.witness import Witness
from control_plane.ledger.worlds import Worlds
from control_plane.moving import Means, Moving
from control_plane.placement.reach import with_room
from control_plane.placement.recorder import Recorder
from control_plane.placing import Placer, Tools
from control_plane.probes import Probes
from control_plane.probing import Probing
from control_plane.publishing import Publishing
from control_plane.readings import (
    fleet_readings,
    going_on_readings,
    placement_readings,
    service_readings,
    session_readings,
    turn_readings,
)
from control_plane.recording import Recording
from control_plane.repeats import Repeats
from control_plane.reserving import Reserving
from control_plane.seats_ahead import SeatsAhead
from control_plane.sessions.service import Notes
from control_plane.sessions.table import SessionTable
from control_plane.sessions.usage import Usage
from control_plane.settings import ControlSettings
from control_plane.signing import fingerprint, signing_key
from control_plane.stopping import Signals
from control_plane.streams import Streams
from control_plane.tenants.changes import KEYS
from control_plane.tenants.first_keys import make_first_keys
from control_plane.tenants.service import Tenants
from control_plane.waiting import Changes, Waiting
from control_plane.waiting.forecasts import Forecasts
from control_plane.waiting.learning import Learning
from control_plane.waiting.lengths import Lengths
from control_plane.world import RegionsFile, WorldNow, regions_path
from heliovox.protocol.control import InLine, Placed
from heliovox.protocol.messages import Place
from shared.announcement import Announcer
from shared.bus import Bus
from shared.bus.nats_bus import NatsBus
from shared.clock import SystemClock, now_iso, wall_ms, wall_s
from shared.errors import BusFailed
from shared.exchange import Bundle
from shared.files import raise_open_files
from shared.metrics import Metrics
from shared.server import HttpServer, listen, plain_config
from shared.service import Service, run_all
from shared.tasks import Tasks

CLAIM_S = 5.0
"""Beside the ticket's time: for a decision, a seat and a note."""
BUS_WAIT_S = 20.0
"""For the message bus at the start; a hub and its control planes often start together."""


async def serve(settings: ControlSettings, *, as_json: bool) -> None:
    """Runs a control plane until it is told to stop.

    Raises:
        OSError: the port cannot be had, or the state cannot be written.
        RegionsRefused: a regions file that is none.
        SigningKeyRefused: likewise, of the signing key.
        BusFailed: no message bus in time.
        ExceptionGroup: a part failed while starting or later.
    """
    raise_open_files()
    listener = listen(settings.host, settings.port)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    announcer = Announcer(
        "heliovox-control",
        sys.stdout,
        as_json=as_json,
        url=f"http://{host}:{listener.getsockname()[1]}",
    )
    bus = await NatsBus.connect(
        settings.bus.url,
        settings.bus.seed_file,
        name=settings.plane_id,
        inbox_prefix=f"_INBOX.{settings.plane_id}",
        wait_s=BUS_WAIT_S,
    )
    try:
        plane = ControlPlane(settings, bus, announcer.key_kept)
        stop = asyncio.Event()
        services = plane.services(lambda config: HttpServer(listener, config))
        try:
            await run_all([*services, Signals(stop), announcer], stop)
        finally:
            await plane.tasks.end()
    finally:
        await bus.close()


class ControlPlane:
    """The parts of a control plane, put together.

    Args:
        bus: connected.
        key_kept: told of every first key that was made, and its file.
    """

    def __init__(
        self, settings: ControlSettings, bus: Bus, key_kept: Callable[[str, Path], None]
    ) -> None:
        self.settings, self.bus, self._key_kept = settings, bus, key_kept
        self.clock = clock = SystemClock()
        self.regions = RegionsFile(regions_path(settings.regions_file), clock, self._world_changed)
        self.key = signing_key(settings.signing_key)
        self.changes = Changes()
        self.recorder = Recorder(settings.plane_id, f"{round(wall_s() * 1000):x}")
        self.fleet = Fleet(self.regions.now.world, clock.now_s(), witness=self.recorder)
        self.recording = Recording(bus, clock, self.recorder, self.fleet, settings.plane_id)
        self.table, self.usage = SessionTable(settings.max_sessions), Usage()
        self.behind = Behind()
        self.bundles = Bundles(bus, clock, self._bundle, self.key)
        self.tenants = Tenants(bus, clock, first=self._first_keys, changed=self.bundles.touched)
        self.feed = Feed(
            bus,
            clock,
            self.fleet,
            self.changes,
            grace_s=settings.service_grace_s,
            touched=self.bundles.touched,
            each_second=self._each_second,
        )
        self.streams = Streams(
            bus, clock, regions=lambda: self.regions.now.regions, heard_s=lambda: self.feed.heard_s
        )
        self.worlds = Worlds(
            bus,
            clock,
            lambda: self.regions.now,
            plane=settings.plane_id,
            key=self.key,
            life_s=settings.bundle_life_s,
        )
        self.witness = Witness(bus, settings.plane_id, self.key)
        self.decisions = Decisions(
            bus, settings.plane_id, settings.max_decisions, fingerprint(self.key)
        )
        self.publishing = Publishing(bus, clock, self.decisions, settings.plane_id)
        self.tasks = Tasks()
        self.waiting = Waiting(
            self.changes,
            clock,
            self.tasks,
            weight=self._weight,
            free=lambda kind: with_room(self.fleet.view(clock.now_s()), kind),
            most=settings.waiting.max_waiting,
            settle_s=settings.waiting.decide_every_ms / 1000,
        )
        self.lengths = Lengths()
        self.learning = Learning(self.lengths, self.waiting, self.table.open, wall_s)
        probes = Probes(settings.probe.every_s, settings.probe.failures)
        self.probing = Probing(clock, self.fleet, self.changes, self.tasks, probes)
        self.reserving = Reserving(bus, clock, self.fleet, self.tasks)
        self.ahead = SeatsAhead(self.reserving)
        self.giving_up = GivingUp(Commands(bus), self.feed.gone, self.tasks)
        told = [self.learning.noted, self.ahead.noted, self.giving_up.noted]
        self.notes = Notes(bus, clock, self.table, self.usage, told, self.giving_up.found)
        self.gate = Gate(wait_s=settings.waiting.turn_s)
        self.placer = Placer(self._tools())
        self.going_on = GoingOn(
            self.table, self.placer, clock, lambda: self.regions.now, self._fallback
        )
        self.moving = Moving(self._means())
        self.notes.also(self.moving.noted)
        self.draining = Draining(
            bus,
            clock,
            fleet=self.fleet,
            table=self.table,
            moving=self.moving,
            command=lambda node, on: self.feed.drain(node, on=on),
            tasks=self.tasks,
        )
        self.ending = Ending(self.table, Commands(bus), self.changes.changed)
        self.forecasts = Forecasts(self.waiting, self.lengths, clock, default_rng())
        self.call_backs = CallBacks(
            placer=self.placer,
            waiting=self.waiting,
            forecasts=self.forecasts,
            ending=self.ending,
            clock=clock,
            tasks=self.tasks,
        )
        self.repeats: Repeats[Placed | InLine] = Repeats(clock)
        self.asks = Asks(
            bus,
            settings.plane_id,
            lambda: self.regions.now,
            self.call_backs,
            self.ending.give_back,
        )

    def services(
        self, http: Callable[[Callable[[], uvicorn.Config]], Service]
    ) -> Sequence[Service]:
        """In the order in which they start; waiting ends before those who serve the waiters."""
        return [
            self.streams,
            self.tenants,
            self.regions,
            self.feed,
            self.probing,
            self.notes,
            self.worlds,
            self.bundles,
            self.witness,
            self.publishing,
            self.recording,
            self.asks,
            http(
                lambda: plain_config(
                    make_front(self.centre()), http="httptools", loop="none", access_log=False
                )
            ),
            self.waiting,
        ]

    def centre(self) -> Centre:
        """What the routes need."""
        return Centre(
            keyring=lambda: self.tenants.keyring,
            world=lambda: self.regions.now,
            bundle=self.bundles.now,
            fallback=self._fallback,
            placing=self.call_backs,
            going_on=self.going_on,
            moving=self.moving,
            draining=self.draining,
            fleets=self.feed,
            explaining=self.decisions,
            ending=self.ending,
            ledger=Statements(self.bus, self.clock, self.settings.plane_id, self.key),
            table=self.table,
            usage=self.usage,
            checks={
                "bus": self._check_bus,
                "streams": self.streams.check,
                "keys": lambda: None if self.tenants.loaded else "keys are not known yet",
                "fleet": self.feed.check,
            },
            metrics=self._metrics(),
            repeats=self.repeats,
        )

    def _tools(self) -> Tools:
        return Tools(
            bus=self.bus,
            clock=self.clock,
            fleet=self.fleet,
            gate=self.gate,
            policies=lambda: self.regions.now.policies,
            reserving=self.reserving,
            waiting=self.waiting,
            decisions=self.decisions,
            recorder=self.recorder,
            publish=self.publishing.made,
            table=self.table,
            going=self.ahead.take,
            key=self.key,
            ticket_ttl_s=self.settings.ticket_ttl_s,
            draw=random.Random(),  # noqa: S311 which of equal nodes, no secret
            new_decision_id=decision_ids(self.settings.plane_id, wall_ms),
        )

    def _means(self) -> Means:
        return Means(
            table=self.table,
            ahead=self.ahead,
            claims=Claims(self.bus, self.settings.plane_id),
            placer=self.placer,
            commands=Commands(self.bus),
            decisions=self.decisions,
            fleet=self.fleet,
            world=lambda: self.regions.now,
            clock=self.clock,
            tasks=self.tasks,
            claim_s=self.settings.ticket_ttl_s + CLAIM_S,
        )

    def _metrics(self) -> Metrics:
        return Metrics(
            [
                *fleet_readings(self.feed, self.probing, self.bus),
                *session_readings(self.table, self.usage, self.notes),
                *going_on_readings(self.going_on, self.moving, self.ahead, self.giving_up),
                *placement_readings(
                    self.placer, self.reserving, self.decisions, self.publishing, self.recording
                ),
                *turn_readings(self.gate, self.repeats),
                *service_readings(
                    self.asks, self.bundles, self.waiting, self.tenants, self.regions
                ),
            ]
        )

    def _bundle(self) -> Bundle:
        world = self.regions.now
        return make_bundle(
            policy_version=world.world.version,
            world=world.text,
            keys=self.tenants.keyring.grants(),
            in_service=self.feed.in_service.regions,
            now_s=wall_s(),
            life_s=self.settings.bundle_life_s,
        )

    def _world_changed(self, world: WorldNow) -> None:
        self.fleet.use(world.world)
        self.bundles.touched()
        self.worlds.touched()
        self.changes.changed()

    def _each_second(self) -> None:
        self.table.looked_at(round(wall_s() * 1000), self.feed.gone)
        self.learning.each_second()
        self.ahead.each_second()
        self.giving_up.each_second()
        self.moving.each_second()
        self.draining.each_second()
        self.call_backs.each_second()
        version = self.bundles.now().version
        if self.behind.due(self.fleet.bundles(), version, self.clock.now_s()):
            self.bundles.tell_again()

    async def _first_keys(self) -> None:
        default = self.regions.now.world.default_policy
        made = await make_first_keys(
            self.bus.kv(KEYS.name), self.settings.state_dir, default, now_iso()
        )
        for path in made:
            self._key_kept(path.stem, path)

    def _check_bus(self) -> str | None:
        try:
            self.bus.check()
        except BusFailed as error:
            return error.message
        return None

    def _weight(self, tenant: str) -> int:
        return self.regions.now.world.waiting.weight(tenant)

    def _fallback(self) -> Place | None:
        region = self.regions.now.world.regions.get(self.settings.fallback_region or "")
        return None if region is None else region.place
