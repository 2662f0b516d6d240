"""Sessions that lose their connection, move, and lose their nodes: not one word differs."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_node.stt.scripted import script_audio
from heliovox.protocol import messages as m
from tests.support.lossy_world import Said, World
from tests.support.talk import pcm

Move = tuple[str, int]
MOVES: dict[str, Callable[[World, int], object]] = {
    "say": lambda world, count: [world.say() for _ in range(count)],
    "rise": lambda world, count: [world.rise() for _ in range(count)],
    "fall": lambda world, count: [world.fall() for _ in range(count)],
    "step": lambda world, count: [world.step() for _ in range(count)],
    "tell": lambda world, count: [world.catch_up() for _ in range(count)],
    "flow": lambda world, count: [flow(world) for _ in range(count)],
    "ack": lambda world, _: world.acknowledge(),
    "cut": lambda world, how: world.cut(noticed=how % 2 == 0),
    "die": lambda world, _: world.die(),
    "stop": lambda world, _: world.stop(),
    "move": lambda world, to: world.move(to),
    "due": lambda world, _: world.move_due(),
    "back": lambda world, to: world.connect(to),
}
USUAL = ["say", "flow", "flow", "flow", "rise", "fall", "step", "tell", "ack", "back", "back"]
moves = st.lists(
    st.tuples(st.sampled_from([*USUAL, *MOVES]), st.integers(0, 9)), min_size=5, max_size=120
)


def flow(world: World) -> None:
    """As where nothing is wrong."""
    world.say()
    world.catch_up()
    world.rise()
    world.step()
    world.fall()


texts = st.text("abc    ", min_size=20, max_size=160)
cuts = st.lists(st.tuples(st.integers(0, 999), st.sampled_from("---fm")), max_size=30)


def script_of(text: str, cuts: list[tuple[int, str]]) -> list[Said]:
    """Words and silences, cut anywhere, flushes and markers anywhere among them.

    Args:
        text: a letter, or a silence, takes 40 ms.
        cuts: of the audio, in thousandths of it, and what is asked for there.
    """
    audio, said, begin = pcm(script_audio(text)), list[Said](), 0
    for number, (at, asked) in enumerate(sorted(cuts)):
        end = len(audio) * at // 1000
        said.append(audio[begin:end])
        begin = end
        if asked != "-":
            said.append(m.Flush(f"f{number}") if asked == "f" else m.Marker(f"m{number}"))
    return [*said, audio[begin:], m.Finish()]


def undisturbed(script: list[Said]) -> World:
    world = World(script)
    world.settle()
    assert world.losses == 0
    return world


EXAMPLES = max(300, settings().max_examples)


@pytest.mark.timeout(900)  # five thousand examples, where it looks deep
@settings(max_examples=EXAMPLES)
@given(text=texts, cuts=cuts, moves=moves)
def test_words_times_and_numbers_are_those_of_one_undisturbed_session(
    text: str, cuts: list[tuple[int, str]], moves: list[Move]
) -> None:
    """Whatever is lost, at any moment, as often as it happens; and all that was asked is answered
    once, and the end comes once."""
    script = script_of(text, cuts)
    still, world = undisturbed(script), World(script)
    for name, number in moves:
        MOVES[name](world, number)
    world.settle()
    assert world.finals() == still.finals()
    assert world.answers() == still.answers()


LONG = "ab ba abc   cab a bb   " * 12
CUTS = [(at, "f" if at % 70 == 0 else "m" if at % 50 == 0 else "-") for at in range(5, 1000, 5)]
FAULTS: list[Move] = [("cut", 0), ("cut", 1), ("die", 0), ("stop", 0), ("move", 1), ("move", 2)]


def disturbed(world: World) -> World:
    """A fault after every fourth packet, and the caller back after the next one."""
    for number in range(60):
        flow_on = [("flow", 4), ("ack", 0), FAULTS[number % len(FAULTS)], ("due", 0), ("flow", 2)]
        for name, count in [*flow_on, ("back", number), ("tell", 1), ("rise", number % 9)]:
            MOVES[name](world, count)
    world.settle()
    return world


def test_sixty_faults_in_half_a_minute_of_speech_cost_no_word() -> None:
    script = script_of(LONG, CUTS)
    still, world = undisturbed(script), disturbed(World(script))
    assert world.losses > 40
    assert len(still.finals()) > 10
    assert world.finals() == still.finals()
    assert world.answers() == still.answers()


def test_a_caller_who_goes_on_from_the_audio_of_the_moment_loses_words() -> None:
    """The same faults without what is sent again: or the test above would show nothing."""
    script = script_of(LONG, CUTS)
    still, world = undisturbed(script), disturbed(World(script, replay=False))
    letters = [sum(len(f.text) for f in one.finals()) for one in (still, world)]
    assert letters[1] < letters[0] * 0.9
