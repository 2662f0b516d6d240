"""Streams with a decoding graph keep every promise that streams without one keep."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_node.sessions.transcript import SpokenWord, Transcript
from edge_node.stt.engine import Engine, Samples, Stream
from shared.errors import Unsupported
from tests.contract.engines import Case, drain, our_speech, real_engine, with_tail

FEW = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
Words = list[SpokenWord]


@pytest.fixture
def engine() -> Engine:
    found = real_engine("onnx", "fp32")
    if "telephone" not in found.profile.graphs:
        pytest.skip("the recogniser has no telephone graph here")
    return found


@pytest.fixture
def audio(engine: Engine) -> Samples:
    if (speech := our_speech()) is None:
        pytest.skip("no voice here")
    return with_tail(engine, np.concatenate(speech))


def heard(engine: Engine, audio: Samples, cuts: Sequence[int] = (), graph: str = "") -> Words:
    stream, transcript = engine.open(graph), Transcript()
    for begin, end in pairwise([0, *sorted(cuts), len(audio)]):
        engine.accept(stream, audio[begin:end])
        transcript.add(drain(engine, stream))
    engine.close(stream)
    return transcript.words


def test_an_unknown_graph_is_refused_and_those_there_are_named(case: Case) -> None:
    with pytest.raises(Unsupported) as caught:
        case.engine.open("klingon")
    assert (caught.value.field, caught.value.value) == ("graph", "klingon")
    assert all(graph in str(caught.value.remedy) for graph in case.engine.profile.graphs)


@pytest.mark.model
@FEW
@given(data=st.data())
def test_audio_may_be_cut_anywhere(engine: Engine, audio: Samples, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(audio)), max_size=12))
    whole = heard(engine, audio, graph="telephone")
    assert whole
    assert heard(engine, audio, cuts, "telephone") == whole


@pytest.mark.model
def test_neighbours_with_other_graphs_change_no_word(engine: Engine, audio: Samples) -> None:
    names = ["", *engine.profile.graphs]
    streams = [engine.open(name) for name in names]
    transcripts = [Transcript() for _ in names]
    for stream in streams:
        engine.accept(stream, audio)
    while engine.ready(streams[0]):
        for transcript, tokens in zip(transcripts, engine.step(streams), strict=True):
            transcript.add(tokens)
    for stream in streams:
        engine.close(stream)
    for name, transcript in zip(names, transcripts, strict=True):
        assert transcript.words == heard(engine, audio, graph=name)


@pytest.mark.model
def test_a_reset_stream_keeps_its_graph_and_nothing_else(engine: Engine, audio: Samples) -> None:
    stream, transcript = engine.open("telephone"), Transcript()
    engine.accept(stream, audio[: len(audio) // 2])
    drain(engine, stream)
    engine.reset(stream)
    engine.accept(stream, audio)
    transcript.add(drain(engine, stream))
    engine.close(stream)
    assert transcript.words == heard(engine, audio, graph="telephone")


@pytest.mark.model
@FEW
@given(data=st.data())
def test_a_moved_stream_goes_on_as_if_nothing_had_happened(
    engine: Engine, audio: Samples, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(audio)))
    stream: Stream = engine.open("telephone")
    transcript = Transcript()
    engine.accept(stream, audio[:at])
    transcript.add(drain(engine, stream))
    snapshot = engine.save(stream)
    engine.close(stream)
    assert snapshot is not None
    moved = engine.restore(snapshot)
    engine.accept(moved, audio[at:])
    transcript.add(drain(engine, moved))
    engine.close(moved)
    assert transcript.words == heard(engine, audio, graph="telephone")
