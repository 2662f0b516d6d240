"""One drawn world, played into the router; every decision goes to the checker with its inputs."""

import time
from datetime import timedelta
from random import Random
from typing import Any

from control_plane.placement import Decision
from control_plane.placement.attempts import Ask, Attempts
from prover.blows import blow, epidemic, panic, relief
from prover.checker import Checker, Violation
from prover.checker.policy import countries_of
from prover.checker.sound import faults
from prover.checker.world import read
from prover.router import Router, Session, answer_of
from prover.scene import KINDS, Scene
from prover.tally import Found, Tally
from prover.worlds import COUNTRIES, DATA, DAY_ONE, PLACES, Drawn, draw_world
from shared.errors import VoiceError
from shared.exchange import Reserved
from shared.policy import caller_countries
from shared.regions.file import read_world
from shared.regions.model import World
from shared.regions.problems import RegionsRefused

DECISIONS = 1000
"""In one world."""
SCENES = 2
"""Fleets in one world, one after the other."""
TONGUES = (*("en",) * 12, "EN", "de", "de", "de", "en-GB", "hi", "eng")
EXPLAINED = 0.25
"""Of decisions, how many are read as they are explained; the others as they are."""
_DAY_ONE_MS = int(DAY_ONE.timestamp()) * 1000
_DAY_MS = timedelta(days=1) // timedelta(milliseconds=1)


def play(seed: str, number: int, decisions: int = DECISIONS) -> Tally:
    """Draws one world and makes so many decisions in it. Equal arguments, equal tallies."""
    player = _Player(seed, number)
    player.play(decisions)
    return player.tally


class _Player:
    def __init__(self, seed: str, number: int) -> None:
        self.tally = Tally()
        self._seed, self._number = seed, number
        self._chance = Random(f"{seed}/{number}")
        self._drawn, self._world = self._sound_world()
        self._modes = {n: p.country_from for n, p in read(self._drawn.text).policies.items()}
        self._seats = 0
        self._last: Session | None = None

    def play(self, decisions: int) -> None:
        for _ in range(SCENES):
            self._scene = Scene(self._chance, sorted(self._world.regions))
            self._router = Router(self._world)
            self._checker = Checker(self._drawn.text)
            until = self.tally.decisions + decisions // SCENES
            while self.tally.decisions < until:
                self._pass()
                crowd = self._chance.choice((1, 5, 20, 40))
                for _ in range(min(crowd, until - self.tally.decisions)):
                    self._decide()

    # worlds

    def _sound_world(self) -> tuple[Drawn, World]:
        """Draws until a world may be used; reader and checker must agree on which may."""
        while True:
            drawn = draw_world(self._chance)
            due = list(faults(read(drawn.text)))
            self.tally.counts["worlds"] += 1
            try:
                world = read_world(drawn.text, "drawn.yaml")
            except RegionsRefused as refused:
                self.tally.counts["worlds refused"] += 1
                if not due:
                    self._accuse(Violation("world_refused", str(refused)), world=drawn.text)
                continue
            if not due:
                return drawn, world
            self._accuse(Violation("world_accepted", "; ".join(due)), world=drawn.text)

    # time

    def _pass(self) -> None:
        """Some time passes, and perhaps something happens."""
        chance, scene = self._chance, self._scene
        fate = chance.random()
        if fate < 0.02:
            self._hear(scene.long_time(chance.choice((150.0, 310.0, 310.0, 600.0))))
            self._hear(epidemic(scene))
        elif fate < 0.04:
            self._hear(panic(scene))
        elif fate < 0.07:
            self._hear(relief(scene))
        elif fate < 0.12:  # nobody asks for a while, and whoever is down stays so
            self._hear(scene.events(chance.choice((3.125, 5.25, 5.25, 8.0))))
        else:
            self._hear(scene.events(chance.choice((0.125, 0.25, 0.5, 1.0))))
        for _ in range(chance.choice((0, 0, 1, 2))):
            self._hear(blow(scene))

    def _hear(self, events: Any) -> None:
        for event in events:
            self._router.hear(event)
            began_s = time.thread_time()
            self._checker.heard(event)
            self.tally.checker_s += time.thread_time() - began_s

    # sessions

    def _session(self) -> Session | None:
        """Whoever asks; None where the policy refuses him for where he says he is."""
        chance = self._chance
        if self._last is not None and chance.random() < 0.5:
            return self._last
        policy = chance.choice(self._drawn.policies)
        claimed, address = (chance.choice((*COUNTRIES, "it", None)) for _ in range(2))
        countries = self._countries(policy, claimed, address)
        if countries is None:
            return None
        lat, lon = chance.choice(PLACES)
        if chance.random() < 0.5:
            lat, lon = chance.uniform(-90, 90), chance.uniform(-180, 180)
        self._last = Session(
            policy=policy,
            tenant=chance.choice((*self._drawn.tenants, "t9")),
            data=chance.choice((*DATA, "general")),
            language=chance.choice(TONGUES),
            countries=countries,
            kind=chance.choice((*KINDS * 15, "juggling")),
            model=chance.choice((*(None,) * 12, "small", "small", "large", "anna")),
            lat=lat,
            lon=lon,
        )
        return self._last

    def _countries(
        self, policy: str, claimed: str | None, address: str | None
    ) -> tuple[str, ...] | None:
        mode = self._modes[policy]
        due = countries_of(mode, claimed, address)
        said: frozenset[str] | str
        try:
            said = caller_countries(self._world.policies[policy].country_from, claimed, address)
        except VoiceError as error:
            said = error.code
        if said != due:
            detail = f"{mode}, claims {claimed}, address {address}: said {said}, due {due}"
            self._accuse(Violation("countries", detail))
        self.tally.counts[f"countries {due if isinstance(due, str) else len(due)}"] += 1
        return None if isinstance(due, str) else tuple(sorted(due))

    def _at_ms(self) -> int:
        """A moment, often one at which something turns."""
        chance = self._chance
        if self._drawn.turns_ms and chance.random() < 0.5:
            return chance.choice(self._drawn.turns_ms) + chance.choice((-1, 0, 1))
        return _DAY_ONE_MS + chance.randrange(-_DAY_MS, 13 * _DAY_MS)

    # decisions

    def _decide(self) -> None:
        session = self._session()
        if session is None:
            return
        at_ms, now_s = self._at_ms(), self._scene.now_s
        policy = self._router.effective(session, at_ms)
        self.tally.counts["decisions"] += 1
        asked: dict[str, Any] = {
            "now_s": now_s, "at_ms": at_ms, "policy": session.policy,
            "facts": {"tenant": session.tenant, "data": session.data,
                      "language": session.language, "countries": session.countries},
        }  # fmt: skip
        if isinstance(policy, str):
            self.tally.counts[f"code {policy}"] += 1
            self._judge({**asked, "refused": policy})
            return
        draws = self._draw(), self._chance.random()
        without = self._without()
        decision = self._router.decide(session, policy, now_s, at_ms, draws=draws, without=without)
        answer = answer_of(decision, explained=self._chance.random() < EXPLAINED)
        self.tally.answered(answer)
        ask = {"kind": session.kind, "language": session.language, "model": session.model,
               "place": {"lat": session.lat, "lon": session.lon},
               "draw": draws[0], "ramp": draws[1], "without": without}  # fmt: skip
        self._judge(
            {**asked, "ask": ask, "effective": self._router.plain(policy), "answer": answer}
        )
        if answer["node"] is not None and self._chance.random() < 0.4:
            self._seat(decision, answer)

    def _draw(self) -> float:
        return self._chance.choice((0.0, 0.999, self._chance.random(), self._chance.random()))

    def _without(self) -> tuple[str, ...]:
        if self._chance.random() < 0.9:
            return ()
        return tuple(self._chance.choice(self._scene.actors).name for _ in range(2))

    def _seat(self, decision: Decision, answer: dict[str, Any]) -> None:
        """Asks for a seat as a control plane does."""
        now_s, names = self._scene.now_s, []
        attempts = Attempts(decision, now_s)
        while isinstance(attempts.step, Ask):
            candidate = attempts.step.candidate
            names.append(candidate.node)
            said = self._asked(candidate.node, decision.ask.kind)
            self.tally.counts[f"seat {said}"] += 1
            reply = Reserved(said == "granted", candidate.node, candidate.boot)
            attempts.answered(None if said == "silent" else reply, now_s)
        for violation in self._checker.asked(answer, names):
            self._accuse(violation)

    def _asked(self, node: str, kind: str) -> str:
        self._seats += 1
        now_s = self._scene.now_s
        event = {"node": node, "seat": self._seats, "at_s": now_s}
        said, taken = self._scene.actor(node).reserve(kind)
        self._hear([{**event, "do": "ask", "kind": kind}])
        if self._chance.random() < 0.1:
            return said  # the answer is still under way
        self._hear([{**event, "do": "answer", "answer": said, "taken": taken}])
        if said == "granted" and self._chance.random() < 0.05:
            self._hear([{**event, "do": "answer", "answer": "released", "taken": 0}])
        return said

    # judgement

    def _judge(self, decision: dict[str, Any]) -> None:
        began_s = time.thread_time()
        violations = self._checker.check(decision)
        self.tally.checker_s += time.thread_time() - began_s
        for violation in violations:
            self._accuse(violation, **decision)

    def _accuse(self, violation: Violation, **context: Any) -> None:
        found = Found(*violation, self._seed, self._number, self.tally.decisions, context)
        self.tally.accuse(found)
