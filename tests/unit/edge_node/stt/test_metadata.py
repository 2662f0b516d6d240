"""Metadata that would end sherpa-onnx, or send it astray, are refused in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.stt.geometry import Geometry
from edge_node.stt.metadata import ctc_facts, transducer_geometry
from shared.errors import ModelRefused

GOOD = {
    "window_size": "51",
    "chunk_shift": "32",
    "subsampling_factor": "4",
    "vocab_size": "191",
    "cache_last_channel_dim1": "1",
    "cache_last_channel_dim2": "1",
    "cache_last_channel_dim3": "1",
    "cache_last_time_dim1": "8",
    "cache_last_time_dim2": "256",
    "cache_last_time_dim3": "8",
}


def test_good_metadata_are_read() -> None:
    facts = ctc_facts("model.onnx", GOOD)
    assert facts.geometry == Geometry(51, 32, 4)
    assert facts.symbols == 192
    assert facts.channel_dims == (1, 1, 1)
    assert facts.time_dims == (8, 256, 8)


@given(
    field=st.sampled_from(sorted(GOOD)),
    value=st.one_of(st.none(), st.sampled_from(["", "0", "-1", "x", "1.5", "NaN"])),
)
def test_a_field_that_is_absent_or_no_positive_number_is_named(
    field: str, value: str | None
) -> None:
    metadata = {name: text for name, text in GOOD.items() if name != field or value is not None}
    if value is not None:
        metadata[field] = value
    with pytest.raises(ModelRefused, match=field) as caught:
        ctc_facts("model.onnx", metadata)
    assert caught.value.field == field
    assert caught.value.remedy


@pytest.mark.parametrize(
    "wrong", [{"window_size": "31"}, {"chunk_shift": "30"}, {"normalize_type": "per_feature"}]
)
def test_fields_that_do_not_fit_together_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ModelRefused):
        ctc_facts("model.onnx", GOOD | wrong)


def test_transducers_name_their_walk_otherwise() -> None:
    assert transducer_geometry("e", {"T": "45", "decode_chunk_len": "32"}) == Geometry(45, 32)
    assert transducer_geometry("e", GOOD) == Geometry(51, 32)
    with pytest.raises(ModelRefused, match="no T"):
        transducer_geometry("e", {})
