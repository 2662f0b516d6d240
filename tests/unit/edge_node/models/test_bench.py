from itertools import count

from edge_node.models.bench import bench
from edge_node.stt.scripted import ScriptedEngine


def test_times_are_of_steps_alone() -> None:
    """A clock that advances 10 ms a look: every step takes 10 ms, whatever the machine does."""
    engine, ticks = ScriptedEngine(), count()
    one, four = bench(engine, [1, 4], 1.0, lambda: next(ticks) * 0.01)
    chunk_s = engine.profile.chunk_samples / engine.profile.sample_rate
    assert (one.batch, four.batch) == (1, 4)
    assert one.steps >= 4
    assert abs(one.p50_ms - 10) < 1e-6
    assert abs(one.rtf - 0.01 / chunk_s) < 1e-9
    assert abs(four.rtf - one.rtf / 4) < 1e-9
