"""Nodes, a centre and an hour that they live through, all of it drawn: bundles to be verified."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from control_plane.ledger.bundle import Stretch, bundle_files
from control_plane.ledger.statement import SessionLine, Span, centre_files, sign_world
from shared.ledger import heads
from shared.ledger.allowed import Published, allowed_digest, clauses_of
from shared.ledger.chain import START, Chain, Moment
from shared.ledger.heads import Head, Witnessed, key_hex, log_of
from shared.ledger.metering import Meter
from shared.ledger.records import Boot, Deleted, Opened, Record
from shared.ledger.standing import Standing, standing_of
from shared.policy import Facts, compile_policies
from shared.regions.file import read_world

WORLD_TEXT = """
regions:
  a: {place: {lat: 50, lon: 8}, time_zone: Europe/Berlin, jurisdiction: de}
  b: {place: {lat: 48, lon: 2}, time_zone: Europe/Paris, jurisdiction: fr}
  c: {place: {lat: 40, lon: -75}, time_zone: America/New_York, jurisdiction: us}
zones:
  eu: [de, fr]
policies:
  default: {allow: [everywhere], overflow: {zones: [everywhere]}}
  eu-only: {allow: [eu], overflow: {zones: [eu]}}
rules:
  no-health-abroad: {when: {data: [health]}, forbid: [abroad]}
"""
WORLDS = tuple(
    WORLD_TEXT.replace(
        "zones:\n", f"zones:\n  abroad: {{include: [everywhere], exclude: [{own}]}}\n"
    )
    for own in ("de, fr", "de")
)
HOUR_MS = 3_600_000
START_MS = 1_790_000_000_000
GOOD_FOR_MS = 600_000
ACTS = ("open", "open", "open", "relay", "close", "close", "kill", "move", "delete")
RECOVERS = (*ACTS, "hand_over", "hand_over", "die")
"""Sessions that go on after lost connections, too."""
WHOLE = Span(0, START_MS + 2 * HOUR_MS)
RATE = 16_000


def key_from(draw: random.Random) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(draw.randbytes(32))


@dataclass
class Centre:
    """What the centre keeps."""

    key: Ed25519PrivateKey
    seen: list[Witnessed] = field(default_factory=list)
    sessions: dict[str, SessionLine] = field(default_factory=dict)
    worlds: list[Published] = field(default_factory=list)

    def publish(self, text: str, at_ms: int) -> None:
        world = read_world(text, "a test's")
        one = Published(clauses_of(world, text), "p-1", at_ms, GOOD_FOR_MS)
        self.worlds.append(sign_world(one, self.key))

    def files(self, span: Span = WHOLE) -> dict[str, bytes]:
        return centre_files(
            span,
            self.seen,
            self.sessions.values(),
            self.worlds,
            plane="p-1",
            made_at_ms=span.until_ms,
            key=self.key,
        )


@dataclass
class Node:
    """One node's ledger, and the clock that it goes by."""

    name: str
    region: str
    key: Ed25519PrivateKey
    skew_ms: int = 0
    chain: Chain = field(default_factory=Chain)
    lines: list[bytes] = field(default_factory=list)
    meters: dict[str, Meter] = field(default_factory=dict)
    boots: int = 0
    boot: str = ""
    booted_ms: int = 0

    @property
    def log(self) -> str:
        return log_of(key_hex(self.key))

    def write(self, records: Iterable[Record], now_ms: int) -> None:
        moment = Moment(self.boot, now_ms + self.skew_ms, now_ms - self.booted_ms)
        self.lines += [self.chain.add(record, moment) for record in records]

    def start(self, now_ms: int) -> None:
        """Again, whatever was open."""
        self.boots, self.booted_ms, self.meters = self.boots + 1, now_ms, {}
        self.boot = f"{now_ms:013d}-{self.boots}"
        died = list(standing_of(self.lines, Standing()).died())
        boot = Boot(
            node=self.name,
            region=self.region,
            key=key_hex(self.key),
            version="0",
            open=len(died),
        )
        self.write([boot, *died], now_ms)

    def head(self, centre: Centre, now_ms: int) -> None:
        place = self.chain.place
        head = Head(
            node=self.name,
            region=self.region,
            boot=self.boot,
            log=self.log,
            key=key_hex(self.key),
            size=place.size,
            root=self.chain.root,
            chain=place.chain,
            at_ms=now_ms + self.skew_ms,
        )
        signed = heads.sign_head(head, self.key)
        centre.seen.append(heads.witness(signed, "p-1", now_ms, centre.key))

    def stretch(self) -> Stretch:
        return Stretch(START, tuple(self.lines))


@dataclass
class Story:
    """Everything that happens, from one source of chance."""

    draw: random.Random
    centre: Centre
    nodes: list[Node]
    now_ms: int = START_MS
    numbers: int = 0

    def facts(self, data: str) -> Facts:
        return Facts("bank", data, "en", frozenset({"de"}))

    def opened(self, session: str, node: Node, role: str, data: str, **more: object) -> Opened:
        world = read_world(WORLDS[len(self.centre.worlds) - 1], "a test's")
        policy = compile_policies(world).effective("eu-only", self.facts(data), self.now_ms)
        assert node.region in policy.allowed
        fields = {
            "session": session,
            "role": role,
            "kind": "recognition",
            "tenant": "bank",
            "policy": "eu-only",
            "policy_version": world.version,
            "bundle_version": "b1",
            "data": data,
            "language": "en",
            "countries": ("de",),
            "allowed": allowed_digest(policy),
            "home": "a",
            "admitted_by": "node",
            "rate": RATE,
        }
        return Opened(**(fields | more))  # type: ignore[arg-type]

    def open(self, node: Node, through: Node | None = None) -> str:
        """A session on a node, relayed by another one or not."""
        self.numbers += 1
        session = f"s{self.numbers}"
        data = self.draw.choice(["general", "general", "health"])
        if node.region != "a" or (through and through.region != "a"):
            data = "general"
        by = "relay" if through else self.draw.choice(["node", "ticket"])
        decision = None if by == "node" else f"d{self.numbers}"
        more = {"admitted_by": by, "decision": decision}
        if through is not None:
            through.write([self.opened(session, through, "relay", data, **more)], self.now_ms)
            through.meters[session] = Meter(session, counts=False, now_ms=self.now_ms)
        opened = self.opened(session, node, "recogniser", data, **more)
        node.write([opened], self.now_ms)
        node.meters[session] = Meter(session, counts=True, now_ms=self.now_ms)
        self.centre.sessions[session] = SessionLine(
            session, "live", node.name, node.region, node.boot, "bank", "eu-only",
            opened.policy_version, decision, by, self.now_ms + node.skew_ms,
        )  # fmt: skip
        return session

    def move(self, session: str, old: Node, new: Node) -> None:
        """The session goes on elsewhere, from where its words are safe."""
        self.numbers += 1
        meter = old.meters.pop(session)
        line = self.centre.sessions[session]
        old.write(meter.close("moved", over=False), self.now_ms)
        start = meter.samples.counted
        opened = self.opened(
            session, new, "recogniser", "general", admitted_by="ticket",
            decision=f"{session}-moved-{self.numbers}", from_sample=start,
        )  # fmt: skip
        new.write([opened], self.now_ms)
        new.meters[session] = Meter(session, True, start, self.now_ms)
        self.centre.sessions[f"{session} {self.numbers}"] = SessionLine(
            session, "live", new.name, new.region, new.boot, line.tenant, line.policy,
            opened.policy_version, opened.decision, "ticket", self.now_ms + new.skew_ms,
        )  # fmt: skip

    def hand_over(self, session: str, old: Node, new: Node) -> None:
        """Its caller went on elsewhere, from the end of an utterance; then the old node hears."""
        meter = old.meters.pop(session)
        heard = meter.samples.heard
        at = self.draw.randrange(meter.samples.counted, heard + 1)
        self.goes_on(session, new, at)
        acked = meter.samples.counted
        old.write(meter.hand_over(at, 1, acked), self.now_ms)

    def goes_on(self, session: str, new: Node, at: int) -> None:
        """At a node, from a sample on: as one that returns, or that has never had it."""
        self.numbers += 1
        line = [one for one in self.centre.sessions.values() if one.session == session][-1]
        decision = f"{session}-on-{self.numbers}"
        by = {"admitted_by": "ticket", "decision": decision, "from_sample": at}
        opened = self.opened(session, new, "recogniser", "general", **by)
        new.write([opened], self.now_ms)
        new.meters[session] = Meter(session, True, at, self.now_ms)
        self.centre.sessions[f"{session} {self.numbers}"] = SessionLine(
            session, "live", new.name, new.region, new.boot, line.tenant, line.policy,
            opened.policy_version, decision, "ticket", self.now_ms + new.skew_ms,
        )  # fmt: skip

    def listen(self, ms: int) -> None:
        """Time passes, and callers speak."""
        self.now_ms += ms
        far: dict[str, int] = {}
        for node in self.nodes:
            for session, meter in node.meters.items():
                far[session] = max(far.get(session, 0), meter.samples.heard)
        for node in self.nodes:
            for session, meter in node.meters.items():
                heard = far[session] + ms * RATE // 1000
                meter.heard(heard, self.draw.randrange(meter.samples.heard, heard), 0)
                node.write(meter.due(self.now_ms), self.now_ms)

    def close(self, session: str, nodes: Iterable[Node]) -> None:
        for node in nodes:
            meter = node.meters.pop(session, None)
            if meter is None:
                continue
            released = meter.samples.counted
            node.write(meter.close("finish", 1, released if meter.counts else 0), self.now_ms)
            if meter.counts:
                name = [n for n, o in self.centre.sessions.items() if o.session == session][-1]
                self.centre.sessions[name] = msgspec.structs.replace(
                    self.centre.sessions[name],
                    state="ended",
                    ended_ms=self.now_ms + node.skew_ms,
                    audio_ms=meter.samples.heard * 1000 // RATE,
                )


def chaotic_hour(seed: int, acts: int = 60, among: tuple[str, ...] = ACTS) -> Story:
    """Kills, restarts, relays, moves, clocks 2 min apart, a policy that changes under way."""
    draw = random.Random(seed)
    centre = Centre(key_from(draw))
    nodes = [
        Node(name, region, key_from(draw), draw.randrange(-120_000, 120_000))
        for name, region in (("a-1", "a"), ("a-2", "a"), ("b-1", "b"))
    ]
    story = Story(draw, centre, nodes)
    centre.publish(WORLDS[0], story.now_ms)
    for node in nodes:
        node.start(story.now_ms)
    changed = draw.randrange(acts)
    for act in range(acts):
        if act == changed:
            centre.publish(WORLDS[1], story.now_ms)
        _one_act(story, among)
        story.listen(draw.randrange(1, HOUR_MS * 2 // acts))
        draw.choice(nodes).head(centre, story.now_ms)
    for node in nodes:
        for session in list(node.meters):
            if draw.random() < 0.7:
                story.close(session, nodes)
    for node in nodes:
        node.head(centre, story.now_ms)
    return story


def _one_act(story: Story, among: tuple[str, ...]) -> None:
    draw, nodes = story.draw, story.nodes
    node, other = draw.sample(nodes, 2)
    mine = [name for name, meter in node.meters.items() if meter.counts]
    what = draw.choice(among)
    if what in ("move", "hand_over") and mine:
        _go(story, what, draw.choice(mine), node, other)
    elif what == "open":
        story.open(node)
    elif what == "relay":
        story.open(node, other)
    elif what == "close" and mine:
        story.close(draw.choice(mine), nodes)
    elif what == "delete" and node.lines:
        gone = Deleted(session="s1", of="transcripts", regions=("a",), objects=3, reason="asked")
        node.write([gone], story.now_ms)
    elif what == "kill":
        node.skew_ms = draw.randrange(-60_000, 60_000)
        node.start(story.now_ms)
    elif what == "die":
        _die(story, node, other)


def _go(story: Story, how: str, session: str, node: Node, other: Node) -> None:
    if can_go(session, node, other):
        (story.move if how == "move" else story.hand_over)(session, node, other)


def _die(story: Story, node: Node, other: Node) -> None:
    """With it go those of its sessions whose callers do not go on elsewhere."""
    meters = {name: meter for name, meter in node.meters.items() if meter.counts}
    node.start(story.now_ms)
    for session, meter in meters.items():
        if can_go(session, node, other) and story.draw.random() < 0.8:
            counted, heard = meter.samples.counted, meter.samples.heard
            story.goes_on(session, other, story.draw.randrange(counted, heard + 1))


def can_go(session: str, node: Node, other: Node) -> bool:
    health = any(b'"data":"health"' in line for line in node.lines if _of(line, session))
    return not health and session not in other.meters


def _of(line: bytes, session: str) -> bool:
    return f'"session":"{session}"'.encode() in line


def files_of(story: Story, span: Span = WHOLE) -> dict[str, bytes]:
    ledgers = {node.log: node.stretch() for node in story.nodes}
    files, missing = bundle_files(story.centre.files(span), ledgers)
    assert not missing
    return files


def written(files: Mapping[str, bytes], folder: Path) -> Path:
    """A bundle on disk."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
