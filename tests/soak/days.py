"""One session of a hundred days: the caller's machine and a node's conversation on a virtual clock.

Real are the wire, the caller's machine, the conversation, its session, utterances, finals,
tokens and parking, the desk and the ledger's records. The recogniser is the scripted one, so that
every word and every time is known beforehand. Now and then the connection is lost and the session
goes on, here or, by what the caller knows alone, on another node; keys of the caller change.
"""

import asyncio
import random
import resource
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from edge_node.capacity.admission import Admission
from edge_node.conversation import Conversation
from edge_node.desk import Admitted, KeyDesk
from edge_node.house import House
from edge_node.protocols.peer import Shown
from edge_node.recovery.parking import ParkingRules
from edge_node.recovery.service import Recoveries
from edge_node.sessions.limits import Limits
from edge_node.sessions.opening import Offer, Opening
from edge_node.stt.scripted import ScriptedEngine
from heliovox.client.machine import SessionMachine
from heliovox.protocol import codec
from heliovox.protocol import messages as m
from shared.ledger.metering import Meter
from shared.ledger.records import Counted
from shared.tasks import Tasks
from tests.soak.inline_device import InlineDevice
from tests.soak.script import AUDIO, CHUNK_MS, DAY_MS, PROFILE, RATE, chunks, word_of
from tests.support.conversing import Parrot
from tests.support.virtual_time import LoopClock

OFFER = Offer("here", ("en",), ("scripted",), ("eve",), CHUNK_MS, PROFILE.delay_samples)
DROP_EVERY_CHUNKS = 5_400
"""Six hours: a token each."""
KEY_EVERY_DAYS = 7
MOST_GROWN_KIB = 4096
"""Over all days; what is allocated once and kept is in the first tenth."""


@dataclass
class Life:
    """The session so far, as its caller sees it."""

    said: int = 0
    """Words."""
    heard: int = 0
    metered: int = 0
    """Samples, without a gap."""
    wrong: list[str] = field(default_factory=list)
    resumed: int = 0
    moved: int = 0
    tokens: list[str] = field(default_factory=list)
    keys: int = 1
    ended: m.Ended | None = None
    closed: list[tuple[int, str]] = field(default_factory=list)
    records: int = 0


class Line:
    """A connection: the node's side of it is a `Peer`."""

    def __init__(self, machine: SessionMachine, life: Life) -> None:
        self._machine, self._life = machine, life
        self.to_say: list[m.ClientMessage] = []

    def send_text(self, data: bytes) -> None:
        """What the node says."""
        event = self._machine.text(data)
        if isinstance(event, m.Final):
            self._final(event)
        elif isinstance(event, m.Ended):
            self._life.ended = event
        elif isinstance(event, m.Started) and event.recovery is not None:
            self._life.tokens.append(event.recovery.token)

    def _final(self, final: m.Final) -> None:
        life = self._life
        want = word_of(life.heard)
        got = [(word.text, word.start_ms) for word in final.words]
        if life.heard >= life.said or got != [(want.text, want.start_ms)]:
            life.wrong = [*life.wrong, f"{got} where {want} belongs"][:5]
        life.heard += 1
        if (ack := self._machine.stored(final.seq)) is not None:
            self.to_say.append(ack)

    def send_audio(self, data: bytes) -> None:
        """Nothing is said here."""

    def close(self, code: int, reason: str) -> None:
        """The node hangs up."""
        self._life.closed.append((code, reason))

    def hung_up(self) -> bool:
        """Never: a lost connection is told."""
        return False

    def pause_reading(self) -> None:
        """Audio is worked off when it comes."""

    def resume_reading(self) -> None:
        """Likewise."""


class Desk(KeyDesk):
    """Knows the key of the week, whose tenant is always the same, and tickets to go on."""

    number = 0
    """Of the token with which the session goes on, as a control plane's ticket says it."""

    def permit(self, shown: Shown, start: m.Start) -> "Permit":
        """See Desk."""
        if (wrong := self.doubt(shown)) is not None:
            raise wrong
        return Permit(start, self)


@dataclass(frozen=True)
class Permit:
    """Of the one caller. Who goes on comes by the control plane's leave."""

    said: m.Start
    desk: Desk
    account: str = "tenant"

    @property
    def resumes(self) -> int:
        """The token's number."""
        return self.desk.number if self.said.resume is not None else 0

    def start(self) -> m.Start:
        """As he said it."""
        return self.said

    def seat(self, opening: Opening) -> Admitted:
        """One."""
        return self.desk.sit(opening.kind)


class Node:
    """A node that the caller of the week may come to."""

    def __init__(self, draw: random.Random) -> None:
        self.key = "key-1"
        self.device = InlineDevice(ScriptedEngine(PROFILE))
        # A control plane's ticket comes with a seat, also where the session still has one.
        self.admission = Admission("here", 2)
        self.recoveries = Recoveries(ParkingRules(), LoopClock(), draw.randbytes)
        self.desk = Desk(self.admission, lambda key: key == self.key, lambda: "s1")
        self.house = House(
            offer=OFFER,
            limits=Limits(),
            desk=self.desk,
            device=self.device,  # type: ignore[arg-type]  # it has no thread
            speaker=Parrot(),
            tasks=Tasks(),
            recoveries=self.recoveries,
        )


async def live(days: float, seed: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """The whole session, and what was wrong with it."""
    draw = random.Random(seed)
    nodes, life = (Node(draw), Node(draw)), Life()
    machine = SessionMachine(m.Start(audio=AUDIO, partials=False, recovers=True))
    meter = Meter("s1", counts=True)
    call = await _connected(nodes[0], machine, life)
    begun_kib, every = 0, max(1, round(days * DAY_MS / CHUNK_MS / 10))
    for number, (audio, word) in enumerate(chunks(days)):
        life.said += word is not None
        if number % DROP_EVERY_CHUNKS == DROP_EVERY_CHUNKS - 1:
            call = await _again(nodes, number, machine, life, call, draw)
        machine.sent(audio)
        call.talk.audio(audio)
        await asyncio.sleep(CHUNK_MS / 1000)
        call.acknowledge()
        _meter(meter, call.talk, life)
        if number % every == every - 1:
            begun_kib = begun_kib or _rss_kib()
            told = f"{life.heard} words, {life.resumed} times resumed, {_rss_kib()} KiB"
            tell(f"day {(number + 1) * CHUNK_MS / DAY_MS:.1f}: {told}")
    machine.finish()
    call.talk.text(codec.encode(m.Finish()))
    await asyncio.sleep(1)
    life.records += [*meter.close("finish")] != []
    return _verdict(days, life, nodes, begun_kib)


@dataclass
class Call:
    """A connection with a node."""

    node: Node
    line: Line
    talk: Conversation

    def acknowledge(self) -> None:
        """What the caller has to say to what came; a second has passed for the node."""
        to_say, self.line.to_say = self.line.to_say, []
        for message in to_say:
            self.talk.text(codec.encode(message))
        self.talk.tick(asyncio.get_running_loop().time())
        self.node.recoveries.tick()


def _meter(meter: Meter, talk: Conversation, life: Life) -> None:
    """The ledger counts what the caller has acknowledged, or what held no words."""
    hearing = talk.session.hearing
    assert hearing is not None
    meter.heard(hearing.received_sample, hearing.finals.released_sample, 0)
    for record in meter.due(round(asyncio.get_running_loop().time() * 1000)):
        life.records += 1
        if isinstance(record, Counted):
            life.wrong += [f"{record} after {life.metered}"] * (record.first != life.metered)
            life.metered = record.end


async def _connected(node: Node, machine: SessionMachine, life: Life) -> Call:
    line = Line(machine, life)
    talk = Conversation(line, node.house, Shown(node.key))
    talk.text(codec.encode(machine.hello()))
    await asyncio.sleep(0)
    return Call(node, line, talk)


async def _again(
    nodes: tuple[Node, Node],
    number: int,
    machine: SessionMachine,
    life: Life,
    call: Call,
    draw: random.Random,
) -> Call:
    """The connection is lost, and the caller comes back: every other time to the other node."""
    call.talk.lost()
    machine.lost()
    await asyncio.sleep(draw.uniform(0, 100))
    call.node.recoveries.tick()
    week = number * CHUNK_MS // DAY_MS // KEY_EVERY_DAYS + 1
    for node in nodes:
        node.key = f"key-{week}"
    there = draw.choice(nodes)
    life.moved += there is not call.node
    recovery = machine.footing.recovery
    assert recovery is not None
    there.desk.number = recovery.number
    after, life.keys, life.resumed = await _connected(there, machine, life), week, life.resumed + 1
    if there is not call.node:
        at = machine.footing.boundary
        gone = call.node.recoveries.give_up("s1", at, recovery.number)
        assert gone, "the node that was left thinks that it has the session"
    while unsaid := machine.unsaid(len(_PIECE)):
        for one in unsaid:
            if isinstance(one, bytes):
                after.talk.audio(one)
            else:
                after.talk.text(codec.encode(one))
            await asyncio.sleep(0)
    return after


def _rss_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


_PIECE = bytes(PROFILE.chunk_samples * 2)


def _verdict(days: float, life: Life, nodes: tuple[Node, Node], begun_kib: int) -> dict[str, Any]:
    grown, audio_ms = _rss_kib() - begun_kib, 0 if life.ended is None else life.ended.audio_ms
    fine = {
        "every word": life.heard == life.said and not life.wrong,
        "every sample": audio_ms == round(days * DAY_MS / CHUNK_MS) * CHUNK_MS,
        "a token each time": len(set(life.tokens)) == life.resumed + 1,
        "no seat left": all(not one.device.inside and not one.admission.taken for one in nodes),
        "flat memory": grown <= MOST_GROWN_KIB,
    }
    return {
        "days": days,
        "samples": audio_ms * RATE // 1000,
        "words": life.heard,
        "lost": life.said - life.heard,
        "wrong": life.wrong,
        "resumed": life.resumed,
        "on_the_other_node": life.moved,
        "keys": life.keys,
        "ledger_records": life.records,
        "grown_kib": grown,
        "not_as_it_should_be": [name for name, good in fine.items() if not good],
    }
