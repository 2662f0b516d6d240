"""What befalls nodes. Each blow says what the centre hears of it at once."""

from prover.actor import Actor, Event
from prover.scene import Scene


def blow(scene: Scene) -> list[Event]:
    """Something happens, to one node or to a whole region."""
    one = scene.chance.choice(scene.actors)
    there = [each for each in scene.actors if each.region == one.region]
    hit = there if scene.chance.random() < 0.35 else [one]
    what = scene.chance.choices([what for what, _ in BLOWS], [often for _, often in BLOWS])[0]
    return [event for actor in hit for event in what(scene, actor)]


def panic(scene: Scene) -> list[Event]:
    """Everything is full or dead at once."""
    said = []
    for actor in scene.actors:
        if scene.chance.random() < 0.3:
            actor.up = False
        else:
            actor.held = dict.fromkeys(actor.does, 0)
            actor.held[actor.does[0]] = actor.limit
            said.append(scene.said(actor.report()))
    return said


def relief(scene: Scene) -> list[Event]:
    """Everybody is back, and has room."""
    said = []
    for actor in scene.actors:
        if not actor.up:
            actor.up, actor.twin, actor.starts = True, False, actor.starts + 1
        actor.draining, actor.healthy = False, True
        actor.held = dict.fromkeys(actor.does, 0)
        said += [scene.said(actor.report()), _reach(scene, actor, reachable=True)]
    return said


def epidemic(scene: Scene) -> list[Event]:
    """Many are not well for a moment."""
    hit = [actor for actor in scene.actors if scene.chance.random() < 0.4]
    return [event for actor in hit for event in flicker(scene, actor)]


def die(_: Scene, actor: Actor) -> list[Event]:
    """It falls silent."""
    actor.up = False
    return []


def return_(scene: Scene, actor: Actor) -> list[Event]:
    """It comes back, as it was or started anew."""
    if actor.up:
        return []
    actor.up, actor.twin = True, False
    if scene.chance.random() < 0.7:
        actor.starts += 1
    return [scene.said(actor.report())]


def leave(scene: Scene, actor: Actor) -> list[Event]:
    """It says goodbye."""
    if not actor.up:
        return []
    actor.up = False
    return [scene.said(actor.report(goodbye=True))]


def late(scene: Scene, actor: Actor) -> list[Event]:
    """A report that was overtaken by others."""
    return [scene.said(actor.report(ago=scene.chance.randint(1, 3)))]


def ghost(scene: Scene, actor: Actor) -> list[Event]:
    """An earlier boot speaks again, perhaps to say goodbye."""
    if not actor.starts:
        return []
    boot = f"b{actor.starts - 1:03}"
    return [scene.said(actor.report(boot=boot, goodbye=scene.chance.random() < 0.3))]


def restart(scene: Scene, actor: Actor) -> list[Event]:
    """It starts anew; the earlier boot may run on."""
    actor.starts, actor.up, actor.healthy = actor.starts + 1, True, True
    actor.faults = scene.chance.choice((0, 0, 2))
    actor.twin = scene.chance.random() < 0.3
    return [scene.said(actor.report())]


def single(_: Scene, actor: Actor) -> list[Event]:
    """The earlier boot stops at last."""
    actor.twin = False
    return []


def drain(scene: Scene, actor: Actor) -> list[Event]:
    """It begins or ends to drain."""
    actor.draining = not actor.draining
    return [scene.said(actor.report())] if _told(scene, actor) else []


def sicken(scene: Scene, actor: Actor) -> list[Event]:
    """A part of it is not well, or is again."""
    actor.healthy = not actor.healthy
    return [scene.said(actor.report())] if _told(scene, actor) else []


def stumble(scene: Scene, actor: Actor) -> list[Event]:
    """Sessions end through a fault of its own."""
    actor.faults += scene.chance.choice((1, 1, 2, 20))
    return [scene.said(actor.report())] if _told(scene, actor) else []


def flicker(scene: Scene, actor: Actor) -> list[Event]:
    """It is not well for a moment."""
    if not actor.up:
        return []
    actor.healthy = False
    said = [scene.said(actor.report())]
    actor.healthy = True
    return [*said, scene.said(actor.report())]


def warm(scene: Scene, actor: Actor) -> list[Event]:
    """It changes its tier."""
    actor.tier = scene.chance.choice(("hot", "hot", "warm", "cold"))
    return [scene.said(actor.report())] if _told(scene, actor) else []


def spike(scene: Scene, actor: Actor) -> list[Event]:
    """Callers come at once."""
    actor.held = dict.fromkeys(actor.does, 0)
    actor.held[actor.does[0]] = scene.chance.choice((actor.limit, actor.limit - 1))
    return [scene.said(actor.report())] if _told(scene, actor) else []


def empty(scene: Scene, actor: Actor) -> list[Event]:
    """Callers go."""
    actor.held = dict.fromkeys(actor.does, 0)
    actor.queue = 0
    return [scene.said(actor.report())] if _told(scene, actor) else []


def _told(scene: Scene, actor: Actor) -> bool:
    """Whether the centre hears of it at once."""
    return actor.up and scene.chance.random() < 0.8


def lie(scene: Scene, actor: Actor) -> list[Event]:
    """A report that cannot be believed."""
    report = actor.report()
    wrong = scene.chance.choice(("limit", "tier", "region", "elsewhere", "step"))
    if wrong == "limit":
        report["limit"] = -1
    elif wrong == "tier":
        report["kinds"]["recognition"] = {"held": -1, "fits": 5}
    elif wrong == "region":
        report["region"] = "nowhere"
    elif wrong == "elsewhere":
        report["region"] = scene.chance.choice(scene.regions)
    else:
        report["step_p95_ms"] = -2.0
    return [scene.said(report)]


def cut(scene: Scene, actor: Actor) -> list[Event]:
    """Where its callers come in nobody answers."""
    return [_reach(scene, actor, reachable=False)]


def mend(scene: Scene, actor: Actor) -> list[Event]:
    """Somebody does again."""
    return [_reach(scene, actor, reachable=True)]


def _reach(scene: Scene, actor: Actor, *, reachable: bool) -> Event:
    return {"do": "reach", "at_s": scene.now_s, "node": actor.name, "reachable": reachable}


BLOWS = (
    (die, 9),
    (return_, 10),
    (leave, 2),
    (late, 2),
    (ghost, 3),
    (restart, 4),
    (single, 3),
    (drain, 5),
    (sicken, 4),
    (stumble, 4),
    (flicker, 7),
    (warm, 2),
    (spike, 10),
    (empty, 10),
    (lie, 3),
    (cut, 4),
    (mend, 6),
)
"""What may happen to a node, and how often beside the others."""
