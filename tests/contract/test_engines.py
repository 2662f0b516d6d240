"""What every engine promises, asked of each in the same words."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_node.stt.engine import Token
from shared.errors import SnapshotRefused
from tests.contract.engines import Case, drain, hear, hear_together, text_of, with_tail

FEW = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def test_the_utterances_are_heard(case: Case) -> None:
    """Otherwise the rest of this suite compares silence with silence."""
    heard = [text_of(hear(case.engine, with_tail(case.engine, audio))) for audio in case.audio]
    assert all(heard)
    if case.texts is not None:
        assert tuple(heard) == case.texts


def test_a_stream_is_ready_with_a_whole_chunk_and_not_before(case: Case) -> None:
    engine, profile = case.engine, case.engine.profile
    stream = engine.open()
    engine.accept(stream, np.zeros(profile.chunk_samples + profile.edge_samples - 1, np.float32))
    assert not engine.ready(stream)
    engine.accept(stream, np.zeros(1, np.float32))
    assert engine.ready(stream)
    engine.step([stream])
    assert not engine.ready(stream)
    engine.accept(stream, np.zeros(profile.chunk_samples, np.float32))
    assert engine.ready(stream)
    engine.close(stream)


def test_tokens_come_out_when_the_profile_says_so(case: Case) -> None:
    """After k steps what was heard up to k chunks less the delay is out, and nothing later."""
    engine, profile = case.engine, case.engine.profile
    audio = with_tail(engine, case.audio[0])
    stream = engine.open()
    engine.accept(stream, audio)
    out: list[Token] = []
    limits = []
    while engine.ready(stream):
        out += engine.step([stream])[0]
        heard_samples = (len(limits) + 1) * profile.chunk_samples - profile.delay_samples
        limits.append((heard_samples, len(out)))
    engine.close(stream)
    for heard_samples, count in limits:
        assert all((t.frame + 1) * profile.frame_samples <= heard_samples for t in out[:count])
        assert all((t.frame + 1) * profile.frame_samples > heard_samples for t in out[count:])


def test_tokens_are_in_order_inside_the_audio_and_have_probabilities(case: Case) -> None:
    for audio in case.audio:
        padded = with_tail(case.engine, audio)
        tokens = hear(case.engine, padded)
        frames = [token.frame for token in tokens]
        assert frames == sorted(frames)
        assert frames[0] >= 0
        assert frames[-1] * case.engine.profile.frame_samples < len(padded)
        assert all(0.0 <= token.probability <= 1.0 for token in tokens)
        assert tokens[0].text.startswith("▁")


@FEW
@given(data=st.data())
def test_audio_may_be_cut_anywhere(case: Case, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(case.audio) - 1))
    audio = with_tail(case.engine, case.audio[at])
    cuts = data.draw(st.lists(st.integers(0, len(audio)), max_size=12))
    assert hear(case.engine, audio, cuts) == hear(case.engine, audio)


def test_a_sample_at_a_time_says_the_same(case: Case) -> None:
    audio = with_tail(case.engine, case.audio[-1])
    stream = case.engine.open()
    for at in range(len(audio)):
        case.engine.accept(stream, audio[at : at + 1])
    assert drain(case.engine, stream) == hear(case.engine, audio)
    case.engine.close(stream)


@FEW
@given(data=st.data())
def test_neighbours_change_no_word(case: Case, data: st.DataObject) -> None:
    """However loud the others are, and however many."""
    engine = case.engine
    order = data.draw(st.lists(st.integers(0, len(case.audio) - 1), min_size=1, max_size=9))
    gains = data.draw(st.lists(st.sampled_from([0.01, 0.3, 1.0]), min_size=9, max_size=9))
    mine = with_tail(engine, case.audio[0])
    others = [
        with_tail(engine, case.audio[i] * np.float32(gain))
        for i, gain in zip(order, gains, strict=False)
    ]
    at = data.draw(st.integers(0, len(others)))
    together = hear_together(engine, [*others[:at], mine, *others[at:]])
    assert together[at] == hear(engine, mine)


def test_reset_is_as_good_as_new(case: Case) -> None:
    engine = case.engine
    stream = engine.open()
    engine.accept(stream, with_tail(engine, case.audio[0])[:-1])
    drain(engine, stream)
    engine.reset(stream)
    again = with_tail(engine, case.audio[1])
    engine.accept(stream, again)
    assert drain(engine, stream) == hear(engine, again)
    engine.close(stream)


def test_a_closed_stream_frees_its_place_and_leaves_no_trace(case: Case) -> None:
    engine = case.engine
    expected = hear(engine, with_tail(engine, case.audio[0]))
    for _ in range(3 * engine.profile.max_batch):
        stream = engine.open()
        engine.accept(stream, with_tail(engine, case.audio[-1]))
        engine.step([stream])
        engine.close(stream)
    assert hear(engine, with_tail(engine, case.audio[0])) == expected


def test_a_closed_stream_is_refused(case: Case) -> None:
    stream = case.engine.open()
    case.engine.close(stream)
    with pytest.raises(ValueError, match="closed"):
        case.engine.accept(stream, np.zeros(1, np.float32))
    with pytest.raises(ValueError, match="closed"):
        case.engine.ready(stream)


def test_none_twice_none_unready_and_not_too_many_in_a_step(case: Case) -> None:
    engine, profile = case.engine, case.engine.profile
    audio = np.zeros(2 * profile.chunk_samples + profile.edge_samples, np.float32)
    streams = [engine.open() for _ in range(profile.max_batch + 1)]
    for stream in streams[1:]:
        engine.accept(stream, audio)
    with pytest.raises(ValueError, match="twice"):
        engine.step([streams[1], streams[1]])
    with pytest.raises(ValueError, match="no whole chunk"):
        engine.step(streams[:2])
    with pytest.raises(ValueError, match="at most"):
        engine.step(streams)
    assert engine.step([]) == []
    assert len(engine.step(streams[1:])) == profile.max_batch  # nothing above took a chunk
    for stream in streams:
        engine.close(stream)


def test_broken_samples_break_nothing_behind_them(case: Case) -> None:
    """NaN and infinity in one stream: its neighbour and its own next utterance are whole."""
    engine = case.engine
    good = with_tail(engine, case.audio[0])
    bad = good.copy()
    bad[:: len(bad) // 50] = np.nan
    bad[7], bad[11] = np.inf, -np.inf
    assert hear_together(engine, [bad, good])[1] == hear(engine, good)
    assert all(np.isfinite(token.probability) for token in hear(engine, bad))


def test_the_engine_keeps_no_view_of_the_callers_buffer(case: Case) -> None:
    engine = case.engine
    good = with_tail(engine, case.audio[0])
    buffer = good.copy()
    stream = engine.open()
    engine.accept(stream, buffer)
    buffer[:] = 0
    assert drain(engine, stream) == hear(engine, good)
    engine.close(stream)


@FEW
@given(data=st.data())
def test_a_restored_stream_goes_on_as_if_nothing_had_happened(
    case: Case, data: st.DataObject
) -> None:
    """Saved anywhere, between samples or steps, and at the very start."""
    engine = case.engine
    audio = with_tail(engine, case.audio[0])
    stream = engine.open()
    at = data.draw(st.integers(0, len(audio)))
    engine.accept(stream, audio[:at])
    steps = data.draw(st.integers(0, 20))
    tokens = []
    while steps and engine.ready(stream):
        tokens += engine.step([stream])[0]
        steps -= 1
    snapshot = engine.save(stream)
    engine.close(stream)
    if snapshot is None:
        pytest.skip("the engine cannot save")
    assert snapshot.sample == at
    other = engine.restore(snapshot)
    engine.accept(other, audio[at:])
    tokens += drain(engine, other)
    engine.close(other)
    assert tokens == hear(engine, audio)


def test_a_snapshot_that_does_not_fit_is_refused(case: Case) -> None:
    engine = case.engine
    stream = engine.open()
    engine.accept(stream, case.audio[0])
    snapshot = engine.save(stream)
    engine.close(stream)
    if snapshot is None:
        pytest.skip("the engine cannot save")
    flipped = bytearray(snapshot.state)
    flipped[len(flipped) // 2] ^= 1
    wrong = {
        "model_hash": replace(snapshot, model_hash="0" * 64),
        "variant": replace(snapshot, variant="other"),
        "format": replace(snapshot, format=snapshot.format + 1),
        "state": replace(snapshot, state=snapshot.state[:-1]),
    }
    for field, refused in wrong.items():
        with pytest.raises(SnapshotRefused) as caught:
            engine.restore(refused)
        assert caught.value.field == field
    for state in (b"", b"HVSS", bytes(flipped), snapshot.state + b"x"):
        with pytest.raises(SnapshotRefused):
            engine.restore(replace(snapshot, state=state))
