"""A log of recorded decisions as large as is asked for: an hour is lived, others repeat it later.

200 nodes of 20 seats in 50 regions report once a second; 41,667 sessions an hour, 5 minutes each,
under 200 policies. A day of it holds a million decisions.
"""

import heapq
import random
from collections.abc import Iterator
from pathlib import Path

import msgspec

from control_plane.fleet import Fleet
from control_plane.placement import PlacementAsk, decide
from control_plane.placement import record as records
from control_plane.placement.record import Batch, Record, read_batch
from control_plane.placement.recorder import Recorder
from control_plane.records.contents import Header, Noted
from control_plane.records.log import LogWriter
from heliovox.protocol.messages import Place
from shared.capacity import CapacityReport, KindRoom
from shared.policy import Facts, compile_policies
from tests.benchmarks.bench_placement import REGIONS, world

NODES, SEATS, MEAN_S = 200, 20, 300.0
HOUR_S = 3600
SESSIONS_S = 1_000_000 / 24 / HOUR_S
BEGAN_MS = 1_800_000_000_000
Content = Batch | list[Noted]


class Hour:
    """One hour, recorded as a control plane records it."""

    def __init__(self, seed: int, seconds: int = HOUR_S) -> None:
        self._chance, self._seconds = random.Random(seed), seconds
        self._world = world()
        self._policies = compile_policies(self._world)
        self._recorder = Recorder("plane-1", "s1", 2**30)
        self._fleet = Fleet(self._world, -10.0, witness=self._recorder)
        self._held, self._seq = [0] * NODES, [0] * NODES
        self._ends: list[tuple[float, int, str]] = []
        self._notes: list[Noted] = []
        self._asks: dict[str, PlacementAsk] = {}

    def contents(self) -> Iterator[Content]:
        """Batches and notes as they follow each other."""
        for second in range(-1200, self._seconds):  # it begins as full as it will be
            if second == 0:
                self._fleet.view(0.0)
                while self._recorder.take() is not None:
                    pass
                self._recorder.snapshot(self._fleet.state())
                self._notes.clear()
            self._second(float(second))
            if second < 0:
                self._recorder.take()
                continue
            yield from self._taken()
            if self._recorder.wants_snapshot(float(second)):
                self._recorder.snapshot(self._fleet.state())

    def _taken(self) -> Iterator[Content]:
        while (packed := self._recorder.take()) is not None:
            yield read_batch(packed.data)
        if len(self._notes) > 500:
            yield list(self._notes)
            self._notes.clear()

    def _second(self, now_s: float) -> None:
        while self._ends and self._ends[0][0] <= now_s:
            _, node, session = heapq.heappop(self._ends)
            self._held[node] -= 1
            self._note("ended", session, node, now_s)
        for node in range(NODES):
            self._fleet.reported(self._report(node), now_s + node / NODES / 2)
        due = self._chance.random() + SESSIONS_S
        for number in range(int(due)):
            self._place(now_s + 0.5 + number / 100, f"{int(now_s)}-{number}")

    def _report(self, node: int) -> CapacityReport:
        self._seq[node] += 1
        held = self._held[node]
        return CapacityReport(
            node=f"node-{node:04}", region=f"r{node % REGIONS:02}", boot="20260101-1",
            seq=self._seq[node], at_ms=BEGAN_MS, url=f"wss://node-{node:04}.example.net",
            version="0.1.0", limit=SEATS, languages=("en", "hi"), models=("small", "large"),
            step_p50_ms=4.0, step_p95_ms=round(4 + held / 10 + self._chance.random() / 5, 2),
            queue=held // 8,
            kinds={"recognition": KindRoom(held, SEATS - held), "synthesis": KindRoom(0, 9)},
        )  # fmt: skip

    def _place(self, now_s: float, name: str) -> None:
        chance = self._chance
        where = random.Random(chance.randrange(500))
        tenant = f"t{chance.randrange(40)}"
        ask = PlacementAsk(
            name, BEGAN_MS + int(now_s * 1000), "recognition", "en", None,
            Place(round(where.uniform(-50, 65), 1), round(where.uniform(-180, 180), 1)),
            chance.random(), tenant=tenant, ramp=chance.random(), order=f"o{name}",
        )  # fmt: skip
        policy = f"p{5 * int(tenant[1:]) + chance.randrange(5):03}"
        facts = Facts(tenant, language="en")
        effective = self._policies.effective(policy, facts, ask.at_ms)
        decision = decide(self._fleet.view(now_s), ask, effective)
        self._recorder.decided(decision)
        winner, session = decision.winner, None
        if winner is not None:
            hold = self._fleet.held_back(winner.node, "recognition", now_s)
            assert hold is not None
            node, session = int(winner.node[5:]), f"s{name}"
            self._held[node] += 1
            self._fleet.granted(hold, self._held[node])
            heapq.heappush(self._ends, (now_s + chance.expovariate(1 / MEAN_S), node, session))
            self._note("started", session, node, now_s + 0.2)
        story = () if winner is None else (f"{winner.node}: granted",)
        self._recorder.tried(name, story, session)

    def _note(self, event: str, session: str, node: int, now_s: float) -> None:
        at_ms, region = BEGAN_MS + int(now_s * 1000), f"r{node % REGIONS:02}"
        self._notes.append(
            Noted(session, "ended" if event == "ended" else "started", at_ms,
                  f"node-{node:04}", region, "ticket", "t", "p000", "en", "recognition")
        )  # fmt: skip


def write_log(path: Path, hours: int, seed: int = 1, seconds: int = HOUR_S) -> None:
    """A log of so many hours."""
    made = list(Hour(seed, seconds).contents())
    total = sum(len(one.records) for one in made if isinstance(one, Batch))
    encoder = msgspec.msgpack.Encoder(enc_hook=dict)
    with path.open("wb") as file:
        writer = LogWriter(file, Header("0", records.FORMAT, "now", "plane-1", "v1", ""))
        for hour in range(hours):
            for one in made:
                if isinstance(one, Batch):
                    batch = _later(one, hour, total, seconds)
                    writer.batch(batch, records.pack(encoder.encode(batch)))
                else:
                    for note in one:
                        writer.note(_note_later(note, hour, seconds))
        writer.end()


def _later(batch: Batch, hour: int, total: int, seconds: int) -> Batch:
    moved = tuple(_record_later(one, hour, seconds) for one in batch.records)
    return msgspec.structs.replace(batch, first=batch.first + hour * total, records=moved)


def _record_later(one: Record, hour: int, seconds: int) -> Record:
    if hour == 0:
        return one
    replace, by_s = msgspec.structs.replace, float(hour * seconds)
    match one:
        case records.Decided():
            ask = replace(one.ask, id=f"{hour}-{one.ask.id}", order=f"{hour}-{one.ask.order}",
                          at_ms=one.ask.at_ms + int(by_s * 1000))  # fmt: skip
            return replace(one, ask=ask)
        case records.Tried():
            session = None if one.session is None else f"{hour}-{one.session}"
            return replace(one, decision=f"{hour}-{one.decision}", session=session)
        case records.Reading():
            return replace(one, now_s=one.now_s + by_s, seq=one.seq + hour * 100_000)
        case records.HeldBack() | records.Reached() | records.Looked():
            return replace(one, now_s=one.now_s + by_s)
        case _:
            return one


def _note_later(note: Noted, hour: int, seconds: int) -> Noted:
    if hour == 0:
        return note
    at_ms = note.at_ms + hour * seconds * 1000
    return msgspec.structs.replace(note, session=f"{hour}-{note.session}", at_ms=at_ms)
