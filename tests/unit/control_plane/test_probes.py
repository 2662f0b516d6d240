from hypothesis import given
from hypothesis import strategies as st

from control_plane.probes import Probes, health_url

MANY = [f"n{number}" for number in range(100)]


def test_three_failures_in_a_row_and_one_success() -> None:
    probes = Probes()
    probes.due(["a"], 0.0)
    said = [probes.answered("a", well=well) for well in
            (False, False, True, False, False, False, False, True, False)]  # fmt: skip
    assert said == [None, None, True, None, None, False, False, True, None]


def test_every_node_is_probed_once_a_period_and_they_are_spread() -> None:
    probes = Probes(every_s=30.0)
    rounds = [probes.due(MANY, float(second)) for second in range(90)]
    for began in (30, 60):
        asked = [node for one in rounds[began - 1 : began + 29] for node in one]
        assert sorted(asked) == sorted(MANY)
    assert max(len(one) for one in rounds) <= 5


@given(st.lists(st.tuples(st.sets(st.sampled_from("abcde")), st.floats(0, 20)), max_size=30))
def test_nobody_is_probed_who_is_not_there_nor_too_often(
    steps: list[tuple[set[str], float]],
) -> None:
    probes, last, now_s = Probes(every_s=30.0), dict[str, float](), 0.0
    for nodes, passed_s in steps:
        now_s += passed_s
        last = {node: at for node, at in last.items() if node in nodes}
        for node in probes.due(sorted(nodes), now_s):
            assert node in nodes
            assert now_s - last.get(node, -30.0) >= 30.0
            last[node] = now_s


def test_a_centre_that_reaches_nobody_puts_nobody_out() -> None:
    """One's own link is down: were all nodes put out, everybody would be refused."""
    probes = Probes()
    probes.due(MANY, 0.0)
    for _ in range(3):
        said = [probes.answered(node, well=False) for node in MANY]
    assert said[60:] == [None] * 40
    assert probes.blind
    for node in MANY[:80]:
        assert probes.answered(node, well=True) is True
    assert probes.answered(MANY[90], well=False) is False


def test_answers_of_who_is_gone_say_nothing() -> None:
    probes = Probes()
    probes.due(["a"], 0.0)
    probes.due([], 1.0)
    assert probes.answered("a", well=False) is None


def test_health_is_asked_beside_the_way_in() -> None:
    assert health_url("ws://n:8080/v1/stream") == "http://n:8080/healthz"
    assert health_url("wss://n/edge/v1/stream") == "https://n/edge/healthz"
    assert health_url("wss://[::1]:9") == "https://[::1]:9/healthz"
    assert health_url("ws://n/v1/stream?to=http://elsewhere/") == "http://n/healthz"
