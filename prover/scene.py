"""Nodes played by chance: they fill, fail, come back, drain, and contradict themselves.

Everything that the centre would hear comes out as plain events; what the centre asks of a node is
answered by what the node knows of itself, which the centre may not know yet.
"""

from collections.abc import Iterator
from random import Random

from prover.actor import Actor, Event

TICK_S = 0.125
"""Moments are multiples of it, so that limits are hit exactly."""
KINDS = ("recognition", "synthesis")
TONGUES = (("en",), ("en",), ("en", "de"), ("en-GB", "hi"), ("hi",))
MODELS = (("small",), ("small",), ("small", "large"), ())
VOICES = ((), ("anna",), ("anna", "ben"))


class Scene:
    """A fleet's life. Time passes by `events`.

    Args:
        chance: decides everything.
        regions: in which nodes may stand, by name.
    """

    def __init__(self, chance: Random, regions: list[str]) -> None:
        self.chance = chance
        self.regions = regions
        self.now_s = 0.0
        size = chance.choice((2, 8, 12, 16, 24, 32, 64))
        used = chance.sample(regions, chance.randint(1, len(regions)))
        if chance.random() < 0.7:
            used = regions
        self.actors = [self._cast(at, used) for at in range(size)]
        self._by_name = {actor.name: actor for actor in self.actors}

    def _cast(self, at: int, regions: list[str]) -> Actor:
        chance = self.chance
        plain = chance.random() < 0.75
        actor = Actor(
            name=f"n{at:02}",
            region=chance.choice(regions),
            limit=chance.choice((1, 2, 4, 5, 8, 10, 20)),
            does=KINDS if plain else (chance.choice(KINDS),),
            languages=("en", "de") if plain else chance.choice(TONGUES),
            models=("small",) if plain else chance.choice(MODELS),
            voices=("anna",) if plain else chance.choice(VOICES),
            step_ms=chance.choice((2.0, 4.0, 5.0, 7.0, 10.0)),
            tier=chance.choice(("hot",) * 12 + ("warm", "cold")),
            up=chance.random() < 0.9,
            due_s=chance.randrange(8) * TICK_S,
        )
        self._fill(actor)
        return actor

    def actor(self, name: str) -> Actor:
        """By name."""
        return self._by_name[name]

    # time

    def events(self, seconds: float) -> Iterator[Event]:
        """What the centre hears while time passes, in order."""
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            self.now_s += TICK_S
            for actor in self.actors:
                if actor.up and actor.due_s <= self.now_s:
                    yield from self._beat(actor)

    def long_time(self, seconds: float) -> Iterator[Event]:
        """Likewise, with nodes that report just often enough to live."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s = min(end_s, self.now_s + 4.5)
            for actor in self.actors:
                if actor.up:
                    yield self.said(actor.report())
                    actor.due_s = self.now_s + 1.0

    def _beat(self, actor: Actor) -> Iterator[Event]:
        chance = self.chance
        actor.due_s = self.now_s + chance.choice((1.0, 1.0, 1.0, 0.875, 1.5, 3.0))
        actor.held[chance.choice(actor.does)] += actor.reserved
        actor.reserved = 0
        if chance.random() < 0.2:
            self._fill(actor)
        yield self.said(actor.report())
        if actor.twin:
            yield self.said(actor.report(boot=f"b{max(0, actor.starts - 1):03}"))

    def _fill(self, actor: Actor) -> None:
        chance = self.chance
        actor.held = dict.fromkeys(actor.does, 0)
        taken = chance.choice((0, actor.limit, actor.limit - 1, *range(actor.limit + 1)))
        for _ in range(taken):
            actor.held[chance.choice(actor.does)] += 1
        actor.queue = chance.choice((0, 0, 0, 4, 8, 16))
        if chance.random() < 0.1:
            actor.step_ms = chance.choice((2.0, 4.0, 5.0, 7.0, 10.0, 80.0))

    def said(self, report: Event) -> Event:
        """A report that comes now."""
        return {"do": "report", "at_s": self.now_s, "report": report}
