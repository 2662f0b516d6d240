"""A caller, three nodes and a centre that lose each other at every turn; no socket, no clock.

The caller is the SDK's own machine, a node is its own session and seat with the scripted
recogniser; only what carries messages between them is made up here, and loses them. Faults come as
a list of moves, so that a failing one can be played again.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from edge_node.sessions import events as e
from edge_node.sessions.kept import Kept, kept_elsewhere
from edge_node.sessions.limits import Limits
from edge_node.sessions.machine import Session
from edge_node.sessions.opening import Offer
from edge_node.sessions.states import Seat as NodeSeat
from edge_node.sessions.states import SeatEvent
from edge_node.sessions.utterances import Rules
from edge_node.stt.engine import Stream
from edge_node.stt.scripted import DEFAULT_PROFILE, ScriptedEngine
from edge_node.stt.seat import EndAsked, MarkerAsked, Seat
from heliovox.client.events import Event, Gap
from heliovox.client.machine import SessionMachine, State
from heliovox.protocol import messages as m
from heliovox.protocol.audio import AudioFormat
from heliovox.protocol.codec import decode_client, encode

PCM = AudioFormat()
RULES = Rules.of(40, endpoint_silence_ms=200, longest_ms=2000)
OFFER = Offer("n", ("en",), ("ears",), (), 320, 200)
START = m.Start(audio=PCM, redirect=True, moves=True, recovers=True)
Said = bytes | m.ClientMessage
"""By the application: a piece of audio, a flush, a marker, or finish."""


@dataclass(frozen=True)
class Close:
    """The end of a connection, in its place behind all that was told before."""


@dataclass(eq=False)
class Stay:
    """The session as one node has it."""

    shown: str
    latest: str
    talk: "Talk | None" = None
    kept: Kept | None = None


@dataclass(eq=False)
class Talk:
    """One connection at a node."""

    node: "Node"
    stay: Stay
    session: Session = field(default_factory=lambda: Session(OFFER, Limits()))
    seat: Seat | None = None
    stream: Stream | None = None
    down: deque[bytes | Close] = field(default_factory=deque)
    """On its way to the caller."""
    token_on_its_way: bool = True

    def hear(self, item: Said) -> None:
        """From the caller."""
        if self.token_on_its_way:
            self.token_on_its_way = False
            self.stay.shown = self.stay.latest
            self.node.world.known = self.stay.latest
        self.handle(e.Audio(item) if isinstance(item, bytes) else item)

    def handle(self, event: e.Event) -> None:
        for command in self.session.handle(event):
            match command:
                case e.Tell(message):
                    self.down.append(encode(message))
                case e.HangUp():
                    self.down.append(Close())
                    if self.session.farewell is not None:
                        self.stay.talk, self.stay.kept = None, self.session.kept
                case e.Hear(data):
                    self._push(data)
                case e.EndUtterance(name, reason):
                    self._push(EndAsked(name, reason))
                case e.Mark(name):
                    self._push(MarkerAsked(name))
                case e.Detach() | e.LeaveSeat():
                    self.seat, self.stay.talk = None, None
                    self.stay.kept = self.session.kept
                case _:
                    pass

    def sit(self, start: m.Start, kept: Kept | None, recovery: m.Recovery) -> None:
        """The node takes the session."""
        [take] = self.session.handle(start)
        assert isinstance(take, e.TakeSeat)
        self.stay.talk = self
        self.seat = Seat(PCM, DEFAULT_PROFILE, RULES, 0 if kept is None else kept.through_sample)
        self.stream = self.node.world.engine.open()
        resume = start.resume or m.Resume("")
        self.handle(e.SeatGranted("s", take.opening, None, recovery, kept, resume))

    def step(self) -> bool:
        """The device takes one turn of this seat; whether there was anything to do."""
        if self.seat is None or self.stream is None or self.seat.waits:
            return False
        engine = self.node.world.engine
        heard, ended, samples = self.seat.turn()
        if ended:
            engine.reset(self.stream)
        more = []
        if samples is not None:
            engine.accept(self.stream, samples)
            [tokens] = engine.step([self.stream])
            more, ended = self.seat.stepped(tokens)
            if ended:
                engine.reset(self.stream)
        for one in [*heard, *more]:
            self.handle(one)
        return bool(heard or more or samples is not None)

    def _push(self, item: bytes | EndAsked | MarkerAsked) -> None:
        if self.seat is not None:
            self.seat.push(item)


@dataclass(eq=False)
class Node:
    """With room for the one session that there is."""

    world: "World"
    name: str
    stay: Stay | None = None

    def admit(self, start: m.Start, *, ticket: bool) -> Talk | None:
        """None: nobody comes in by that token."""
        resume, stay = start.resume, self.stay
        if resume is None:
            self.stay = stay = Stay("", "")
            return self._open(stay, start, None)
        if stay is not None and resume.token in (stay.shown, stay.latest):
            if resume.token == stay.latest:
                stay.shown = resume.token
                self.world.known = resume.token
            if stay.talk is not None:
                stay.talk.handle(e.Displaced())
            assert stay.kept is not None
            if stay.kept.seat.state is NodeSeat.HANDING_OVER:  # as where sessions are parked
                stay.kept.seat.take(SeatEvent.KEPT)
            return self._open(stay, start, stay.kept)
        if not ticket:
            return None
        self.stay = stay = Stay(resume.token, "")
        opening = Session(OFFER, Limits()).handle(START)[0].opening  # type: ignore[union-attr]
        return self._open(stay, start, kept_elsewhere("s", opening, resume))

    def _open(self, stay: Stay, start: m.Start, kept: Kept | None) -> Talk:
        stay.latest = self.world.token()
        if kept is None:
            stay.shown = self.world.known = stay.latest
        talk = Talk(self, stay)
        talk.sit(start, kept, m.Recovery(stay.latest, 120.0))
        return talk

    def die(self) -> None:
        """kill -9; it comes back empty."""
        self.stay = None


class World:
    """Everything, and what the application has seen of it.

    Args:
        script: what the application says, in order.
        replay: without it, the caller goes on from the audio of the moment.
    """

    def __init__(self, script: Sequence[Said], *, replay: bool = True) -> None:
        self.engine = ScriptedEngine()
        self.machine = SessionMachine(START)
        self.nodes = [Node(self, f"n-{number}") for number in range(3)]
        self.known = ""
        """The token by which the centre knows the session."""
        self._tokens = 0
        self._script = deque(script)
        self._replay = replay
        self.here = self.nodes[0]
        self.talk: Talk | None = self.here.admit(START, ticket=False)
        self.up: deque[Said] = deque()
        self._catching_up = False
        self.seen: list[Event] = []
        self.losses = 0

    def token(self) -> str:
        """A new one."""
        self._tokens += 1
        return f"token-{self._tokens}"

    @property
    def over(self) -> bool:
        """Whether the application has seen the end."""
        return any(isinstance(event, m.Ended) for event in self.seen)

    # --- the application ---

    def say(self) -> None:
        """What it says next."""
        if not self._script or self.machine.state is State.OPENING or self.over:
            return
        said, behind = self._script.popleft(), self.machine.behind
        if isinstance(said, bytes):
            self.machine.sent(said)
        elif isinstance(said, m.Finish):
            self.machine.finish()
        else:
            self.machine.asked(said)
        if not behind:
            self.up.append(said)

    def acknowledge(self) -> None:
        """All that it has."""
        ack = self.machine.stored(self.machine.last_final)
        if ack is not None and not self.machine.behind:
            self.up.append(ack)

    # --- the network ---

    def rise(self) -> bool:
        """One message reaches the node."""
        if not self.up or self.talk is None:
            return False
        item = self.up.popleft()
        self.talk.hear(item if isinstance(item, bytes) else decode_client(encode(item)))
        return True

    def fall(self) -> bool:
        """One message reaches the caller."""
        if self.talk is None or not self.talk.down:
            return False
        item = self.talk.down.popleft()
        if isinstance(item, Close):
            if not self.over:
                self._lost()
            return True
        event = self.machine.text(item)
        if event is not None:
            self._see(event)
        return True

    def catch_up(self) -> bool:
        """The caller tells the next node some of what it missed."""
        if not self._catching_up:
            return False
        unsaid = self.machine.unsaid(1000)
        self.up += [one for one in unsaid if self._replay or not isinstance(one, bytes)]
        self._catching_up = bool(unsaid)
        return True

    def step(self) -> bool:
        """A turn of the device, for whoever has a seat: also for those whom nobody hears."""
        talks = [node.stay.talk for node in self.nodes if node.stay is not None]
        turns = [talk.step() for talk in talks if talk is not None]
        return any(turns)

    def cut(self, *, noticed: bool) -> None:
        """All that is on its way is lost, either way; the node may not notice."""
        talk = self.talk
        if talk is None or self.over or self.machine.state is State.OPENING:
            return
        self._lost()
        if noticed:
            talk.handle(e.LinkLost())

    def die(self) -> None:
        """The session's node does."""
        if self.machine.state is not State.OPENING:
            self.cut(noticed=False)
            self.here.die()

    def stop(self) -> None:
        """The session's node does, in order."""
        if self.here.stay is not None and self.here.stay.talk is not None:
            self.here.stay.talk.handle(e.DrainOver(elsewhere=True))

    def move(self, number: int) -> None:
        """The centre sends the session to another node."""
        node, stay = self.nodes[number % 3], self.here.stay
        if stay is not None and stay.talk is not None and node is not self.here:
            redirect = m.Redirect(node.name, "ticket", node.name, "r", "d", "moved")
            stay.talk.handle(e.Move(redirect))

    def move_due(self) -> None:
        """It was waited long enough for the end of an utterance."""
        if self.here.stay is not None and self.here.stay.talk is not None:
            self.here.stay.talk.handle(e.MoveDue())

    def connect(self, number: int) -> None:
        """The caller comes back: 0 to the node that he knows, else by a ticket of the centre."""
        if self.machine.state is not State.MOVING or self.talk is not None:
            return
        hello = self.machine.hello()
        assert hello.resume is not None
        node = self.here if number % 4 == 0 else self.nodes[number % 4 - 1]
        ticket = number % 4 != 0
        good = not ticket or hello.resume.token == self.known
        self.talk = node.admit(hello, ticket=ticket) if good else None
        if self.talk is None:
            self.machine.footing.other_token()

    # --- what comes of it ---

    def _lost(self) -> None:
        self.talk, self._catching_up = None, False
        self.up.clear()
        self.machine.lost()
        self.losses += 1

    def _see(self, event: Event) -> None:
        if isinstance(event, m.Ended):
            self.seen += self.machine.settled()
        self.seen.append(event)
        match event:
            case m.Started():
                assert self.talk is not None
                self.here = self.talk.node
                if self.machine.behind:
                    self._arrive()
            case m.Redirect():
                self._sent(event)
            case _:
                pass

    def _arrive(self) -> None:
        self.seen += self.machine.losses()
        self.up.append(self.machine.ack() or m.KeepAlive())
        self._catching_up = True

    def _sent(self, redirect: m.Redirect) -> None:
        self.talk, self._catching_up = None, False
        self.up.clear()
        number = next(at for at, node in enumerate(self.nodes) if node.name == redirect.node)
        self.losses += 1
        self.connect(number + 1)

    def settle(self) -> None:
        """From here on nothing is lost: to the end of the session."""
        for turn in range(10_000):
            if self.over:
                return
            self.say()
            self.connect(turn)
            while self.rise() or self.fall() or self.catch_up() or self.step():
                pass
        raise AssertionError("the session does not come to its end")

    def finals(self) -> list[m.Final]:
        """As the application has them."""
        return [event for event in self.seen if isinstance(event, m.Final)]

    def answers(self) -> tuple[list[tuple[str, int]], list[tuple[str, int]], int, int]:
        """Flushes and markers with their positions, ends, and gaps."""
        flushed = [(f.id, f.through_sample) for f in self.seen if isinstance(f, m.Flushed)]
        markers = [(f.id, f.at_sample) for f in self.seen if isinstance(f, m.MarkerReached)]
        ends = sum(isinstance(event, m.Ended) for event in self.seen)
        return flushed, markers, ends, sum(isinstance(event, Gap) for event in self.seen)
