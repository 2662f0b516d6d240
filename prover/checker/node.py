"""One node, as what was heard of it says: its state, its room, and whether it recovers."""

from typing import Any

STALE_S = 3.0
DEAD_S = 5.0
FORGOTTEN_S = 300.0
SETTLED_S = 1.5
"""A report that comes so long after a seat was asked for knows what became of it."""
TENTH_S, HALF_S = 300.0, 900.0
"""Since a node is back: up to these it takes a tenth, then half of its share."""
NEVER = float("-inf")
MOST_LAPSES = 10
"""Of the latest so many: what a seat not answered, or a session lost, costs, and for how long."""
LAPSE_MS = ((300.0, 10.0), (600.0, 5.0))
Report = dict[str, Any]


class Seat:
    """One seat that was asked for."""

    def __init__(self, number: int, kind: str, since_s: float) -> None:
        self.number, self.kind, self.since_s = number, kind, since_s
        self.granted = False


class Node:
    """Everything that was heard of one node since it joined.

    Args:
        report: its first.
        at_s: when that came.
        before: what was known of it when it died; None where it is new or was forgotten.
        returns: whether it was dead before, and perhaps forgotten.
    """

    def __init__(
        self, report: Report, at_s: float, before: "Node | None", *, returns: bool
    ) -> None:
        self.name: str = report["node"]
        self.others: dict[str, int] = {}  # the last number of each other boot
        self.contradicted_until_s = NEVER
        self.seats: list[Seat] = []
        self.unreachable: bool = before is not None and before.unreachable
        self.recovers = returns  # it failed: when it is ready again a ramp begins
        self.ramp_s: float | None = None
        self.lapses_s: list[float] = [] if before is None else before.lapses_s
        if before is not None and before.boot != report["boot"]:
            self._lost(before, at_s)
        self._take(report, at_s)

    def _take(self, report: Report, at_s: float) -> None:
        self.report, self.heard_s = report, at_s
        self.boot: str = report["boot"]
        self.region: str = report["region"]
        self.languages = frozenset(language.lower() for language in report["languages"])
        self.live = sum(room["held"] for room in report["kinds"].values())
        self.counted = self.live + report["reserved"]  # seats that are taken, as it last said
        self._rooms: dict[str, int] | None = None
        self.silent = self.refused_to_drain = False
        self.full_kinds: set[str] = set()
        self.turn(at_s)

    def _lost(self, before: "Node", at_s: float) -> None:
        """With a boot its sessions end."""
        self._lapsed(at_s, before.live)

    def _lapsed(self, at_s: float, times: int) -> None:
        self.lapses_s = [*self.lapses_s, *[at_s] * times][-MOST_LAPSES:]

    def turn(self, at_s: float) -> None:
        """After every event: a ramp ends with a failure, and begins where it is ready again."""
        self._rooms = None
        if not self.report["healthy"] or self.unreachable:
            self.recovers, self.ramp_s = True, None
        elif self.recovers and self._by_its_word() == "ready":
            self.recovers, self.ramp_s = False, at_s

    # what was heard

    def reported(self, report: Report, at_s: float) -> None:
        """A report of any boot under the node's name, not its last one."""
        boot, number = report["boot"], report["seq"]
        if boot == self.boot:
            if number > self.report["seq"]:
                self._seats_counted(at_s)
                if (more := report["faults"] - self.report["faults"]) > 0:
                    self._lapsed(at_s, more)
                self._take(report, at_s)
            return
        if number <= self.others.get(boot, -1):
            return
        alone = at_s > self.heard_s + STALE_S  # the boot that spoke so far does not any more
        if alone or (boot not in self.others and boot > self.boot):
            self._handed_over(report, at_s)
        else:
            self._note(boot, number)
            self.contradicted_until_s = at_s + STALE_S

    def _handed_over(self, report: Report, at_s: float) -> None:
        if self.others.pop(report["boot"], None) is not None:
            self.contradicted_until_s = min(self.contradicted_until_s, at_s)
        self._note(self.boot, self.report["seq"])
        self.seats = []
        self._lost(self, at_s)
        self._take(report, at_s)

    def _note(self, boot: str, number: int) -> None:
        self.others.pop(boot, None)
        if len(self.others) >= 4:
            del self.others[next(iter(self.others))]
        self.others[boot] = number

    def _seats_counted(self, at_s: float) -> None:
        """A report counts the seats that the node said it holds, and knows of those long ago."""
        self.seats = [s for s in self.seats if not s.granted and at_s - s.since_s < SETTLED_S]

    def left(self, boot: str) -> bool:
        """A goodbye; whether the node is gone with it."""
        if boot == self.boot:
            return True
        self.others.pop(boot, None)
        return False

    def reached(self, at_s: float, *, reachable: bool) -> None:
        """Somebody tried where its callers come in."""
        self.unreachable = not reachable
        self.turn(at_s)

    def answered(self, number: int, answer: str, taken: int, at_s: float) -> None:
        """What came of asking for a seat: `granted`, `silent`, `released`, or a refusal's code."""
        seat = next((seat for seat in self.seats if seat.number == number), None)
        if seat is None:
            return
        if answer == "granted":
            seat.granted = True
            if not 0 < taken <= self.counted:
                return
        elif answer == "silent":
            self.silent = True
            self._lapsed(at_s, 1)
        elif answer == "node_full":
            self.full_kinds.add(seat.kind)
        elif answer == "node_draining":
            self.refused_to_drain = True
        self.seats.remove(seat)
        self.turn(at_s)

    # what follows from it

    def dead(self, now_s: float) -> bool:
        """Silent for more than 5 s."""
        return now_s > self.heard_s + DEAD_S

    def forgotten(self, now_s: float) -> bool:
        """Silent for more than five minutes."""
        return now_s > self.heard_s + FORGOTTEN_S

    def state(self, now_s: float) -> str:
        """The first of these that holds."""
        if self.dead(now_s):
            return "dead"
        if self.contradicted_until_s > now_s:
            return "conflict"
        if now_s > self.heard_s + STALE_S:
            return "stale"
        return self._by_its_word()

    def _by_its_word(self) -> str:
        if self.silent:
            return "stale"
        if not self.report["healthy"]:
            return "unwell"
        if self.unreachable:
            return "unreachable"
        if self.report["draining"] or self.refused_to_drain:
            return "draining"
        return "ready"

    def share(self, now_s: float) -> float:
        """How much of its share a node that is back takes already."""
        if self.ramp_s is None or now_s >= self.ramp_s + HALF_S:
            return 1.0
        return 0.1 if now_s < self.ramp_s + TENTH_S else 0.5

    def history_ms(self, now_s: float) -> float:
        """What its lapses cost."""
        ages = [now_s - lapse_s for lapse_s in self.lapses_s]
        return sum(next((ms for until_s, ms in LAPSE_MS if age < until_s), 0.0) for age in ages)

    def room(self, kind: str) -> int:
        """Sessions of the kind that fit, seats asked for taken off."""
        if self._rooms is None:
            self._rooms = self._room_left()
        return self._rooms.get(kind, 0)

    def _room_left(self) -> dict[str, int]:
        left = {name: int(room["fits"]) for name, room in self.report["kinds"].items()}
        for seat in self.seats:
            n = left.get(seat.kind, 0)
            for name, count in left.items():
                # one of the n seats of a kind takes the nth part of every other kind's, rounded up
                taken = -(-count // n) if n > 0 and name != seat.kind else 1
                left[name] = max(0, count - taken)
        return left | dict.fromkeys(self.full_kinds, 0)
