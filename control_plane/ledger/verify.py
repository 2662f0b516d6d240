#!/usr/bin/env python3
"""Verifies a bundle of Heliovox ledgers: one file of standard-library Python, nothing of ours.

    python3 -I verify.py BUNDLE [--centre-key KEY] [--heads KEPT.jsonl] [--receipts CALLERS.jsonl]

It proves that records were not edited, dropped, reordered or spliced, that every sample counts
once, that every place was allowed, and that no session that the centre opened is missing. What it
cannot prove stands in docs/ledger.md. Prints what is wrong, the first thing first, and a line of
JSON. Exit code 0: nothing is wrong. 1: something is. 2: wrong usage.
"""

import argparse
import hashlib
import json
import re
import sys
from base64 import b64decode
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Xyzt = tuple[int, int, int, int]

MOST_SHOWN = 20
SKEW_MS = 180_000  # clocks may be so far apart, or set back, before it counts as wrong
SETTLED_MS = 10_000  # after a head is due, what it does not speak of is missing
LEAF, NODE, NOTHING = b"\x00", b"\x01", "0" * 64
HEAD, WITNESS = b"heliovox ledger head 1\n", b"heliovox ledger witness 1\n"
WORLD, STATEMENT = b"heliovox ledger world 1\n", b"heliovox ledger statement 1\n"
DIED = "node_died"
UNFIT = "a field is missing, unknown, or of another kind"


class Wrong(Exception):
    """What is wrong, and where: the file, the node, the record's or line's number."""

    def __init__(
        self, what: str, file: str = "", node: str = "", record: int | None = None
    ) -> None:
        super().__init__(what)
        self.what, self.file, self.node, self.record = what, file, node, record

    def __str__(self) -> str:
        where = [self.file, self.node and f"node {self.node}"]
        where.append("" if self.record is None else f"record {self.record}")
        return ": ".join([", ".join(filter(None, where)), self.what])


# --- Ed25519, RFC 8032 ---

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def _add(p: Xyzt, q: Xyzt) -> Xyzt:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _x_of(y: int, sign: int) -> int | None:
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def _unpack(data: bytes) -> Xyzt | None:
    number = int.from_bytes(data, "little")
    y = number & ((1 << 255) - 1)
    x = _x_of(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % P)


def _pack(p: Xyzt) -> bytes:
    inverse = pow(p[2], P - 2, P)
    return (p[1] * inverse % P | (p[0] * inverse % P & 1) << 255).to_bytes(32, "little")


class Point:
    """Multiples of one point: 64 tables of 15, made once, so that a product is 64 additions."""

    def __init__(self, p: Xyzt) -> None:
        self.rows: list[list[Xyzt]] = []
        for _ in range(64):
            row = [(0, 1, 1, 0)]
            for _ in range(15):
                row.append(_add(row[-1], p))
            self.rows.append(row)
            p = _add(row[-1], p)

    def times(self, number: int) -> Xyzt:
        """The point, so many times."""
        total = (0, 1, 1, 0)
        for row in self.rows:
            if number & 15:
                total = _add(total, row[number & 15])
            number >>= 4
        return total


_Y = 4 * pow(5, P - 2, P) % P
_KEYS: dict[bytes, Point | None] = {}


def _point(key: bytes) -> Point | None:
    """The base point for no key, a key's point turned round otherwise; None for what is none."""
    if key not in _KEYS:
        p = _unpack(key or _Y.to_bytes(32, "little"))
        turned = p if p is None or not key else (P - p[0], p[1], 1, P - p[3])
        _KEYS[key] = None if turned is None else Point(turned)
    return _KEYS[key]


def ed25519(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a key (32 bytes) signed a message."""
    if len(key) != 32 or len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    base, turned = _point(b""), _point(key)
    if s >= L or turned is None or base is None:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    return _pack(_add(base.times(s), turned.times(k))) == signature[:32]


# --- values as they are written down ---


ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
DECODER = json.JSONDecoder()


def canonical(value: object) -> bytes:
    """The one form that a value has."""
    return ENCODER.encode(value).encode("utf-8", "surrogatepass")


def read(line: bytes, file: str, number: int) -> Json:
    """An object of one line, in its one form."""
    try:
        value = DECODER.decode(line.decode())
        if isinstance(value, dict) and canonical(value) == line:
            return value
    except (ValueError, RecursionError):
        pass
    raise Wrong("not an object in its one form: it was edited, or cut", file, record=number)


def lines_of(path: Path, file: str) -> Iterator[bytes]:
    """The lines of a file; the last must be whole."""
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream):
                if not line.endswith(b"\n"):
                    raise Wrong("the last line is cut", file, record=number)
                yield line[:-1]
    except OSError as error:
        raise Wrong(f"cannot be read: {error.strerror}", file) from None


def fits(value: Any, shape: Any) -> bool:
    """Whether a value is of a shape: a type, or one of several, a list of one, or an object."""
    if shape is int:
        return type(value) is int and value >= 0
    if shape in (str, dict):
        return type(value) is shape
    if isinstance(shape, tuple):
        return any(fits(value, one) for one in shape)
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(one, shape[0]) for one in value)
    if isinstance(shape, dict):
        same = isinstance(value, dict) and value.keys() == shape.keys()
        return same and fields_fit(value, shape)
    return type(value) is type(shape) and bool(value == shape)


def fields_fit(value: Json, shape: Json) -> bool:
    """Likewise, for an object that has the fields: written out, as a million records take it."""
    for name, inner in shape.items():
        said = value[name]
        if inner is str:
            if type(said) is not str:
                return False
        elif inner is int:
            if type(said) is not int or said < 0:
                return False
        elif not fits(said, inner):
            return False
    return True


MAYBE = (int, None)
STAMP = {"what": str, "n": int, "prev": str, "boot": str, "at_ms": int, "up_ms": int}
RANGE = {"session": str, "unit": ("samples", "characters"), "from": int, "to": int}
SHAPES: dict[str, Json] = {
    "boot": {
        **dict.fromkeys(("node", "region", "key", "version"), str), "torn_bytes": int, "open": int,
    },
    "opened": {
        **dict.fromkeys(("session", "kind", "tenant", "policy", "policy_version"), str),
        **dict.fromkeys(("bundle_version", "data", "language", "allowed", "home"), str),
        "role": ("recogniser", "speaker", "relay"), "admitted_by": ("ticket", "node", "relay"),
        "decision": (str, None), "caller": (str, None), "countries": [str], "rate": int,
        "from_sample": int,
    },
    "heard": RANGE,
    "counted": RANGE,
    "closed": {
        "session": str, "reason": str, "samples": MAYBE, "characters": MAYBE, "total": MAYBE,
        "acked_seq": int, "acked_sample": int, "unknown_from": MAYBE,
    },
    "deleted": {"session": str, "of": str, "regions": [str], "objects": int, "reason": str},
    "missed": {"records": int, "since_ms": int},
}  # fmt: skip
SHAPES = {what: STAMP | shape for what, shape in SHAPES.items()}
SAME = ("tenant", "policy", "data", "language", "countries", "rate")
HEAD_SHAPE = {
    **dict.fromkeys(("node", "region", "boot", "log", "key", "root", "chain"), str),
    "size": int, "at_ms": int,
}  # fmt: skip
HEAD_LINE = {"head": HEAD_SHAPE, "head_sig": str, "plane": str, "at_ms": int, "sig": str}
WORLD_LINE = {"world": dict, "plane": str, "at_ms": int, "good_for_ms": int, "sig": str}
START_LINE = {"size": int, "peaks": [str], "chain": str}
STATEMENT_LINE = {
    "format": 1, "plane": str, "key": str, "from_ms": int, "until_ms": int, "made_at_ms": int,
    "sha256": dict.fromkeys(("heads.jsonl", "sessions.jsonl", "worlds.jsonl"), str), "sig": str,
}  # fmt: skip
SESSION_LINE = {
    **dict.fromkeys(("session", "node", "region", "boot", "tenant", "policy"), str),
    "policy_version": str, "admitted_by": str, "decision": (str, None), "at_ms": int,
    "state": ("placed", "live", "ended"), "ended_ms": MAYBE, "audio_ms": int,
}  # fmt: skip


def signed(kind: bytes, value: Json, sig: str, key: str) -> bool:
    """Whether a key (hex) signed a value."""
    try:
        return ed25519(bytes.fromhex(key), kind + canonical(value), bytes.fromhex(sig))
    except ValueError:
        return False


def checked(value: Json, shape: Json | None, kind: bytes, key: str, file: str, at: int) -> Json:
    """A value that the centre signed, in a line of a file."""
    if shape is not None and not fits(value, shape):
        raise Wrong(UNFIT, file, record=at)
    unsigned = {name: said for name, said in value.items() if name != "sig"}
    if not signed(kind, unsigned, str(value.get("sig")), key):
        raise Wrong("the centre's signature is not good", file, record=at)
    return value


# --- one node's ledger ---


class Part:
    """What one node says of one session."""

    __slots__ = ("boot", "closed", "counted", "file", "heard", "n", "node", "opened", "region")

    def __init__(self, log: "Log", opened: Json) -> None:
        self.file, self.node, self.region, self.boot = log.file, log.node, log.region, log.boot
        self.n: int = opened["n"]
        self.opened = opened
        self.closed: Json | None = None
        self.heard: dict[str, int] = {"samples": opened["from_sample"], "characters": 0}
        self.counted = dict(self.heard)

    @property
    def relay(self) -> bool:
        """Whether it only passed on."""
        return bool(self.opened["role"] == "relay")

    @property
    def died(self) -> bool:
        """Whether its node was cut short."""
        return self.closed is not None and self.closed["reason"] == DIED

    def wrong(self, what: str) -> Wrong:
        """A Wrong about it."""
        return Wrong(f"session {self.opened['session']}: {what}", self.file, self.node, self.n)


class Log:
    """Reads a ledger record by record, and holds it to its heads."""

    def __init__(self, file: str, head: Json, start: Json) -> None:
        self.file = file
        self.node, self.region, self.key = str(head["node"]), str(head["region"]), head["key"]
        self.size: int = start["size"]
        self.cut = self.size > 0
        self.peaks = [bytes.fromhex(peak) for peak in start["peaks"]]
        self.last, self.boot = str(start["chain"]), ""
        self.boots: set[str] = set()
        self.at_ms: int | None = None
        self.up_ms = 0
        self.open: dict[str, Part] = {}
        self.stale: dict[str, Part] = {}
        self.begun: set[str] = set()
        self.records = 0

    def wrong(self, what: str) -> Wrong:
        """A Wrong about the record at hand."""
        return Wrong(what, self.file, self.node, self.size)

    def root(self) -> str:
        """Of all records so far: RFC 6962."""
        if not self.peaks:
            return hashlib.sha256(b"").hexdigest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = hashlib.sha256(NODE + peak + root).digest()
        return root.hex()

    def take(self, line: bytes) -> Part | None:
        """One record; the part that it opens, or None."""
        record = read(line, self.file, self.size)
        what = record.get("what")
        if not isinstance(what, str) or what not in SHAPES or not fits(record, SHAPES[what]):
            raise self.wrong(UNFIT)
        if record["n"] != self.size:
            raise self.wrong(f"its number is {record['n']}: records are missing, or out of order")
        if record["prev"] != self.last:
            raise self.wrong("it does not follow the record before it: one of them is another")
        self._in_time(record)
        opened: Part | None = getattr(self, f"_{what}")(record)
        leaf = hashlib.sha256(LEAF + line).digest()
        self.last, bits = leaf.hex(), self.size
        while bits & 1:
            leaf, bits = hashlib.sha256(NODE + self.peaks.pop() + leaf).digest(), bits >> 1
        self.peaks.append(leaf)
        self.size, self.records = self.size + 1, self.records + 1
        return opened

    def held_to(self, head: Json) -> None:
        """Whether it is the ledger that the node signed, at this point of it."""
        if self.root() != head["root"] or self.last != head["chain"]:
            raise self.wrong(f"the first {self.size} records are not those that the node signed")

    def _in_time(self, record: Json) -> None:
        if record["what"] == "boot":
            return
        if not self.boot and not self.cut:
            raise self.wrong("a ledger begins with a boot")
        if self.boot and record["boot"] != self.boot:
            raise self.wrong(f"it names the boot {record['boot']}, and {self.boot} goes on")
        if self.at_ms is not None:
            drift = (record["at_ms"] - self.at_ms) - (record["up_ms"] - self.up_ms)
            if record["up_ms"] < self.up_ms:
                raise self.wrong("the node's monotonic clock runs backwards")
            if abs(drift) > SKEW_MS:
                raise self.wrong(f"the node's wall clock was set by {drift / 1000:.0f} s")
        self.boot, self.at_ms, self.up_ms = record["boot"], record["at_ms"], record["up_ms"]
        if self.stale and record.get("reason") != DIED:
            raise self.wrong("sessions that were open when the node ended are not closed first")

    def _boot(self, record: Json) -> None:
        if (record["node"], record["region"], record["key"]) != (self.node, self.region, self.key):
            raise self.wrong("the boot is another node's, region's or key's than the heads")
        if record["boot"] in self.boots or record["boot"] == self.boot:
            raise self.wrong("the same boot twice")
        if self.at_ms is not None and record["at_ms"] < self.at_ms - SKEW_MS:
            raise self.wrong("the node's wall clock went back between two boots")
        left = record["open"] - len(self.open)
        if left < 0 or (left and not self.cut):
            raise self.wrong(f"the boot speaks of {record['open']} open sessions, not of its own")
        self.boots.add(record["boot"])
        self.boot, self.at_ms, self.up_ms = record["boot"], record["at_ms"], record["up_ms"]
        self.stale.update(self.open)
        self.open = {}

    def _opened(self, record: Json) -> Part:
        if record["session"] in self.open:
            raise self.wrong(f"session {record['session']} is open already")
        part = self.open[record["session"]] = Part(self, record)
        return part

    def _heard(self, record: Json) -> None:
        self._goes_on(record, "heard")

    def _counted(self, record: Json) -> None:
        part = self._goes_on(record, "counted")
        if part is not None and part.relay:
            raise self.wrong("a relay counts nothing")
        if part is not None and record["to"] > part.heard[record["unit"]]:
            raise self.wrong("it counts what was not heard")

    def _goes_on(self, record: Json, what: str) -> Part | None:
        part = self.open.get(record["session"])
        if part is None:
            if self.cut:
                self.begun.add(record["session"])
                return None
            raise self.wrong(f"session {record['session']} is not open")
        ends: dict[str, int] = getattr(part, what)
        unit = record["unit"]
        if record["from"] != ends[unit] or record["to"] <= record["from"]:
            raise self.wrong(f"{what} goes on at {unit[:-1]} {record['from']}, not {ends[unit]}")
        ends[unit] = record["to"]
        return part

    def _closed(self, record: Json) -> None:
        died = record["reason"] == DIED
        part = (self.stale if died else self.open).pop(record["session"], None)
        if part is None:
            if self.cut:
                self.begun.add(record["session"])
                return
            raise self.wrong(f"session {record['session']} is not open")
        part.closed, heard = record, part.heard
        said = (record["samples"], record["characters"], record["unknown_from"])
        if said != ((None, None, heard["samples"]) if died else (*heard.values(), None)):
            raise self.wrong("it closes at another place than was heard")
        if record["total"] not in (None, heard["samples"]) or (part.relay and record["total"]):
            raise self.wrong("its total is not what was heard")
        if record["acked_sample"] > heard["samples"]:
            raise self.wrong("the caller acknowledged more than was heard")

    def _deleted(self, record: Json) -> None:
        """Says itself what it says."""

    def _missed(self, record: Json) -> None:
        lost = record["records"]
        raise self.wrong(f"the node's store was full or gone, and {lost} records are lost")


# --- the bundle ---


class Bundle:
    """Everything in one folder.

    Args:
        folder: the bundle's.
        centre_key: that it must be signed with, 64 hex digits; None to take what it names.
    """

    def __init__(self, folder: str, centre_key: str | None = None) -> None:
        self.folder, self.key = Path(folder), centre_key or ""
        self.statement: Json = {}
        self.wrongs: list[Wrong] = []
        self.heads: dict[str, dict[int, Json]] = {}
        self.latest: dict[str, Json] = {}
        self.worlds: list[Json] = []
        self.sessions: dict[str, list[Part]] = {}
        self.begun: set[str] = set()
        self.cut = False
        self.records = self.never_came = self.pending = self.lost = self.uncounted = 0

    def verify(self, kept: str | None = None, receipts: str | None = None) -> None:
        """Looks at everything; what is wrong stands in `wrongs`, in the order of looking."""
        if not self._try(self._signed_parts, kept):
            return
        starts = self._starts()
        for log in sorted(self.heads):
            self._try(self._log, log, starts.get(log, {"size": 0, "peaks": [], "chain": NOTHING}))
        self._try(self._nothing_else)
        if self.wrongs:
            return  # what sessions come to means nothing where records cannot be trusted
        for session, parts in self.sessions.items():
            self._try(self._session, session, parts)
        self._try(self._complete)
        if receipts:
            self._try(self._receipts, receipts)

    def _try(self, check: Callable[..., None], *arguments: object) -> bool:
        try:
            check(*arguments)
        except Wrong as wrong:
            self.wrongs.append(wrong)
            return False
        return True

    def _lines(self, name: str) -> list[Json]:
        return [read(line, name, at) for at, line in enumerate(lines_of(self.folder / name, name))]

    # --- what the centre signed ---

    def _signed_parts(self, kept: str | None) -> None:
        self._statement()
        before: dict[str, int] = {}
        for at, line in enumerate(self._lines("heads.jsonl")):
            self._head(line, "heads.jsonl", at)
            self._later(line, before, at)
        for at, raw in enumerate(lines_of(Path(kept), kept) if kept else ()):
            self._head(read(raw, str(kept), at), str(kept), at)
        for at, line in enumerate(self._lines("worlds.jsonl")):
            self.worlds.append(checked(line, WORLD_LINE, WORLD, self.key, "worlds.jsonl", at))
        self.worlds.sort(key=lambda line: int(line["at_ms"]))

    def _statement(self) -> None:
        name = "statement.json"
        said = self._lines(name)
        if len(said) != 1 or not fits(said[0], STATEMENT_LINE):
            raise Wrong(UNFIT, name)
        if self.key and said[0]["key"] != self.key:
            raise Wrong(f"signed under the key {said[0]['key']}, not under the one given", name)
        self.key = said[0]["key"]
        self.statement = checked(said[0], None, STATEMENT, self.key, name, 0)
        for file in ("heads.jsonl", "sessions.jsonl", "worlds.jsonl"):
            digest = hashlib.sha256()
            for line in lines_of(self.folder / file, file):
                digest.update(line + b"\n")
            if digest.hexdigest() != self.statement["sha256"][file]:
                raise Wrong("is not the file that the centre signed", file)

    def _head(self, line: Json, file: str, at: int) -> None:
        checked(line, HEAD_LINE, WITNESS, self.key, file, at)
        head = line["head"]
        name = hashlib.sha256(bytes.fromhex(head["key"])).hexdigest()[:16]
        if name != head["log"] or not signed(HEAD, head, line["head_sig"], head["key"]):
            raise Wrong("the node's signature is not good", file, head["node"], at)
        known = self.heads.setdefault(head["log"], {}).setdefault(head["size"], line)["head"]
        if any(known[name] != head[name] for name in ("root", "chain", "node", "region", "key")):
            raise Wrong("the node signed two ledgers of one size", file, head["node"], at)

    def _later(self, line: Json, before: dict[str, int], at: int) -> None:
        """Heads come in the centre's order: a ledger only grows, and clocks agree."""
        head, log, off_ms = line["head"], line["head"]["log"], line["head"]["at_ms"] - line["at_ms"]
        if head["size"] < before.get(log, 0):
            raise Wrong("the ledger is shorter than it was", "heads.jsonl", head["node"], at)
        if abs(off_ms) > SKEW_MS:
            said = f"the node's clock and the centre's are {abs(off_ms) // 1000} s apart"
            raise Wrong(said, "heads.jsonl", head["node"], at)
        before[log], self.latest[log] = head["size"], line

    # --- what nodes wrote ---

    def _starts(self) -> Json:
        """Where records begin, of ledgers that are not here from their beginning."""
        found: list[Json] = [{}]
        if (self.folder / "starts.json").exists():
            self._try(lambda: found.extend(self._lines("starts.json")))
        return found[-1]

    def _log(self, name: str, start: Json) -> None:
        heads = self.heads[name]
        first = heads[max(heads)]["head"]
        file, node = f"records/{first['region']}.{first['node']}.{name}.jsonl", first["node"]
        if not fits(start, START_LINE):
            raise Wrong(UNFIT, "starts.json", node)
        log = Log(file, first, start)
        early = heads.get(log.size)
        if log.cut and (early is None or early["at_ms"] > self.statement["from_ms"]):
            raise Wrong("begins later than the bundle does", file, node, log.size)
        due = deque(line["head"] for size, line in sorted(heads.items()) if size >= log.size)
        for line in self._covered(log, file, due):
            if (part := log.take(line)) is not None:
                self.sessions.setdefault(part.opened["session"], []).append(part)
        self.records += log.records
        self.begun |= log.begun
        self.cut |= log.cut
        if due:
            more = due[-1]["size"] - log.size
            raise log.wrong(f"ends {more} records too early: the node signed more")
        if log.stale:
            raise log.wrong("sessions that were open when the node ended are not closed")

    def _covered(self, log: Log, file: str, due: deque[Json]) -> Iterator[bytes]:
        """The lines of a ledger, as long as they are those that its heads speak of."""
        path = self.folder / file
        stream = lines_of(path, file) if path.exists() else iter(())
        while True:
            if due and due[0]["size"] == log.size:
                log.held_to(due.popleft())
            if (line := next(stream, None)) is None:
                return
            if not due:
                raise log.wrong("no head speaks of this record")
            yield line

    def _nothing_else(self) -> None:
        said = [(log, line["head"]) for log, of in self.heads.items() for line in of.values()]
        known = {f"{head['region']}.{head['node']}.{log}.jsonl" for log, head in said}
        folder = self.folder / "records"
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.name not in known:
                raise Wrong("no head speaks of this ledger", f"records/{path.name}")

    # --- what it comes to for each session ---

    def _session(self, _: str, parts: list[Part]) -> None:
        for part in parts:
            self._lawful(part)
            if any(part.opened[name] != parts[0].opened[name] for name in SAME):
                raise part.wrong("two nodes say different things of it")
        serving = [part for part in parts if not part.relay]
        relays = [part for part in parts if part.relay]
        for part in serving:
            said = part.opened
            if (
                said["admitted_by"] == "relay"
                and not relays
                and not self._at_an_edge(said["at_ms"])
            ):
                raise part.wrong("it came through a relay, and no relay says that it heard it")
            for relay in relays:
                least = part.heard["samples"] if relay.closed and not relay.died else 0
                if relay.heard["samples"] < least:
                    raise relay.wrong("the relay says that it heard less than it passed on")
        if serving:
            self._counts_once(serving)

    def _counts_once(self, parts: list[Part]) -> None:
        early = parts[0].opened["session"] in self.begun or any(not p.closed for p in parts)
        at, gaps = 0, {part.counted["samples"] for part in parts if part.died}
        for part in sorted(parts, key=lambda one: (one.opened["from_sample"], one.n)):
            start, end = part.opened["from_sample"], part.counted["samples"]
            if start < at and end > start:
                raise part.wrong(f"samples {start} to {min(at, end)} count twice")
            if start > at and (early or self._at_an_edge(part.opened["at_ms"])):
                self.begun.add(part.opened["session"])
            elif start > at and at not in gaps:
                raise part.wrong(f"samples {at} to {start} count nowhere")
            else:
                self.uncounted += max(0, start - at)
            at = max(at, end)
        over = [part for part in parts if part.closed and part.closed["total"] is not None]
        if len(over) > 1:
            raise over[1].wrong("it ended twice")
        for part in parts:
            self._adds_up(part, at)
        left = [part.closed["at_ms"] for part in parts if part.closed and not part.died]
        if not over and len(left) == len(parts) and not self._at_an_edge(max(left)):
            raise parts[-1].wrong("it went on elsewhere, and nobody says that he had it")
        if not over and any(part.died for part in parts):
            self.lost += 1
            self.uncounted += max(0, *(part.heard["samples"] - at for part in parts), 0)

    def _adds_up(self, part: Part, counted: int) -> None:
        if part.closed is None:
            return
        if part.closed["total"] not in (None, counted):
            raise part.wrong(f"{part.closed['total']} samples in all, and {counted} count")
        if part.closed["acked_sample"] > counted:
            raise part.wrong("the caller acknowledged more than counts")
        if not part.died and part.counted["characters"] != part.heard["characters"]:
            raise part.wrong("not all characters count")

    def _near_begin(self, at_ms: int) -> bool:
        """Whether what belongs to something of that moment may lie before the bundle."""
        return self.cut and at_ms < int(self.statement["from_ms"]) + SKEW_MS

    def _near_end(self, at_ms: int) -> bool:
        """Whether it may come after the last head of some node."""
        ends = (int(line["head"]["at_ms"]) for line in self.latest.values())
        return any(at_ms > end - SKEW_MS for end in ends)

    def _at_an_edge(self, at_ms: int) -> bool:
        return self._near_begin(at_ms) or self._near_end(at_ms)

    def _lawful(self, part: Part) -> None:
        opened, at_ms = part.opened, part.opened["at_ms"]
        world = self._version(part, opened["policy_version"], at_ms)
        moments = {at_ms}
        for clause in (*world["policies"].values(), *world["rules"].values()):
            near = [edge for edge in (clause["from_ms"], clause["until_ms"]) if edge is not None]
            moments |= {e - less for e in near if abs(e - at_ms) <= SKEW_MS for less in (0, 1)}
        found = [allowed(world, opened, moment) for moment in sorted(moments)]
        found = [one for one in found if one]
        here = [one for one in found if part.region in one["allowed"]]
        if not found:
            raise part.wrong(f"its policy {opened['policy']} was not in effect, or is none")
        if not here:
            clause = found[0]["removed"].get(part.region, "no such region")
            raise part.wrong(f"{opened['policy']} does not allow {part.region} ({clause})")
        if opened["allowed"] not in ("", *(one["digest"] for one in here)):
            raise part.wrong("the node went by another set of allowed regions")

    def _version(self, part: Part, version: str, at_ms: int) -> Json:
        """The world of a version that a node could go by at a moment."""
        for at, one in enumerate(self.worlds):
            if one["world"]["version"] != version or one["at_ms"] > at_ms + SKEW_MS:
                continue
            later = [w["at_ms"] for w in self.worlds[at:] if w["world"]["version"] != version]
            if not later or at_ms <= later[0] + one["good_for_ms"] + SKEW_MS:
                world: Json = one["world"]
                return world
        raise part.wrong(f"version {version} of the policies was not in force then")

    # --- whether anything is missing ---

    def _complete(self) -> None:
        opened = set()
        for at, line in enumerate(self._lines("sessions.jsonl")):
            if not fits(line, SESSION_LINE):
                raise Wrong(UNFIT, "sessions.jsonl", record=at)
            opened.add((line["session"], line["decision"]))
            self._is_there(line, at)
        begin, end = self.statement["from_ms"] + SKEW_MS, self.statement["until_ms"] - SKEW_MS
        for part in (part for parts in self.sessions.values() for part in parts):
            said = part.opened["session"], part.opened["decision"]
            if said[1] and begin < part.opened["at_ms"] < end and said not in opened:
                raise part.wrong("the centre knows nothing of the decision that it names")

    def _is_there(self, line: Json, at: int) -> None:
        parts = [p for p in self.sessions.get(line["session"], ()) if not p.relay]
        mine = [p for p in parts if (p.node, p.boot) == (line["node"], line["boot"])]
        if line["state"] == "placed":
            self.never_came += not parts
        elif not mine:
            self._not_signed_yet(line, line["at_ms"], at, "no ledger says that it was heard")
        else:
            same = [p for p in mine if p.opened["decision"] == line["decision"]]
            if not same and self._at_an_edge(line["at_ms"]):
                self.pending += 1
            else:
                self._agrees(line, (same or mine)[-1], at)

    def _agrees(self, line: Json, part: Part, at: int) -> None:
        for name in ("tenant", "policy", "policy_version", "decision", "admitted_by"):
            if part.opened[name] != line[name]:
                raise part.wrong(f"the centre knows another {name} of it")
        if line["state"] != "ended" or part.died:
            return
        if part.closed is None:
            self._not_signed_yet(line, line["ended_ms"] or 0, at, "no ledger says that it ended")
        elif part.closed["samples"] * 1000 // (part.opened["rate"] or 1) != line["audio_ms"]:
            raise part.wrong("the node told the centre another total")

    def _not_signed_yet(self, line: Json, at_ms: int, at: int, what: str) -> None:
        """It may have come after the last head of its node, or before the bundle."""
        heads = [one["head"] for one in self.latest.values() if one["head"]["node"] == line["node"]]
        covered = any(h["at_ms"] > at_ms + SETTLED_MS and h["boot"] >= line["boot"] for h in heads)
        if covered and not self._near_begin(line["at_ms"]):
            said = f"session {line['session']}: {what}"
            raise Wrong(said, "sessions.jsonl", line["node"], at)
        self.pending += 1

    def _receipts(self, path: str) -> None:
        """What callers themselves know, which no node and no centre can have changed."""
        for at, raw in enumerate(lines_of(Path(path), path)):
            line = read(raw, path, at)
            if not fits(line, {"session": str, "samples": int}):
                raise Wrong(UNFIT, path, record=at)
            parts = [p for p in self.sessions.get(line["session"], ()) if not p.relay]
            if max((part.counted["samples"] for part in parts), default=-1) != line["samples"]:
                known = "has another total" if parts else "is in no ledger"
                raise Wrong(f"session {line['session']} {known}", path, record=at)


def matches(when: Json, said: Json) -> bool:
    """Whether a rule is about a session."""
    parts = said["language"].lower().split("-")
    words = {
        "tenants": [said["tenant"]], "data": [said["data"]], "countries": said["countries"],
        "policies": [said["policy"]],
        "languages": ["-".join(parts[:count]) for count in range(1, len(parts) + 1)],
    }  # fmt: skip
    return all(when[name] is None or set(words[name]) & set(when[name]) for name in words)


def holds(clause: Json, at_ms: int) -> bool:
    """Whether a policy or rule is in force at a moment."""
    begins, ends = clause["from_ms"], clause["until_ms"]
    return (begins is None or at_ms >= begins) and (ends is None or at_ms < ends)


def allowed(world: Json, said: Json, at_ms: int) -> Json:
    """What policies come to for a session at a moment; empty where its policy is not in effect."""
    policy = world["policies"].get(said["policy"])
    if policy is None or not holds(policy, at_ms):
        return {}
    rules = world["rules"].items()
    rules = {n: r for n, r in rules if holds(r, at_ms) and matches(r["when"], said)}
    removed: Json = {}
    for clause in (policy, *rules.values()):
        removed = {**clause["removed"], **removed}
    found = {
        "policy": said["policy"], "policy_version": world["version"], "rules": sorted(rules),
        "allowed": sorted(set(world["regions"]) - set(removed)),
    }  # fmt: skip
    return {**found, "digest": hashlib.sha256(canonical(found)).hexdigest(), "removed": removed}


# --- the command ---


def key_of(text: str) -> str:
    """The centre's key in hex: given so, or as a PEM file."""
    if re.fullmatch("[0-9a-f]{64}", text):
        return text
    lines = [line for line in Path(text).read_text("ascii").splitlines() if "-----" not in line]
    return b64decode("".join(lines))[-32:].hex()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    options = argparse.ArgumentParser("verify.py", description=(__doc__ or "").split("\n")[0])
    options.add_argument("bundle", help="the folder")
    options.add_argument("--centre-key", help="64 hex digits or a PEM file, known from elsewhere")
    options.add_argument("--heads", help="heads that you kept earlier, as JSON lines")
    options.add_argument("--receipts", help="what callers know: {session, samples} as JSON lines")
    said = options.parse_args(arguments)
    if not Path(said.bundle).is_dir():
        options.error(f"{said.bundle} is no folder")
    bundle = Bundle(said.bundle, said.centre_key and key_of(said.centre_key))
    try:
        bundle.verify(said.heads, said.receipts)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        bundle.wrongs.append(Wrong(f"not understood: {type(error).__name__} {error}", said.bundle))
    for wrong in bundle.wrongs[:MOST_SHOWN]:
        sys.stdout.write(f"{wrong}\n")
    summary = {
        "records": bundle.records, "sessions": len(bundle.sessions),
        "partly_outside": len(bundle.begun), "never_came": bundle.never_came,
        "not_signed_yet": bundle.pending, "lost_with_their_node": bundle.lost,
        "uncounted_samples": bundle.uncounted, "centre_key": bundle.key,
        "centre_key_compared": said.centre_key is not None, "problems": len(bundle.wrongs),
        "first": str(bundle.wrongs[0]) if bundle.wrongs else None,
    }  # fmt: skip
    sys.stdout.write(json.dumps(summary) + "\n")
    return 1 if bundle.wrongs else 0


if __name__ == "__main__":
    sys.exit(main())
