from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.models.members import (
    MAX_MEMBERS,
    MAX_UNPACKED_BYTES,
    Member,
    common_root,
    destination,
    is_safe_name,
    refusal,
)

PARTS = st.sampled_from(["a", "b.onnx", "..", ".", "", "C:", "x\\y", "nul\0", "é", "a:b"])


def file(name: str, size: int = 1) -> Member:
    return Member(name, "file", size)


@pytest.mark.parametrize(
    "name",
    ["../a", "/a", "a/../b", "a/../../b", "C:/a", "a\\..\\b", "", "a\0b", "a//b", "..", "a\nb"],
)
def test_names_that_could_leave_the_folder_are_unsafe(name: str) -> None:
    assert not is_safe_name(name)
    assert refusal([file(name)]) is not None


@pytest.mark.parametrize("name", ["a", "a/b.onnx", "a/b/", "./a/b", "ä/ö", "a b", "..a", "a.."])
def test_ordinary_names_are_safe(name: str) -> None:
    assert is_safe_name(name)


@given(parts=st.lists(PARTS, max_size=5))
def test_a_safe_name_stays_below_its_folder(parts: list[str]) -> None:
    name = "/".join(parts)
    if is_safe_name(name):
        joined = Path("/store") / destination(name, None)
        assert ".." not in joined.parts
        assert joined.is_relative_to("/store")


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([Member("a", "other", 0)], "neither"),
        ([file("a"), file("A")], "twice"),
        ([file("a", MAX_UNPACKED_BYTES), file("b")], "unpack to"),
        ([file(f"f{i}") for i in range(MAX_MEMBERS + 1)], "members"),
    ],
)
def test_what_is_refused_is_told_why(members: list[Member], reason: str) -> None:
    assert reason in (refusal(members) or "")


def test_a_folder_around_everything_is_left_out() -> None:
    members = [Member("model/", "folder", 0), file("model/a"), file("model/b/c")]
    assert common_root(members) == "model"
    assert destination("model/b/c", "model") == PurePosixPath("b/c")
    assert destination("model/", "model") == PurePosixPath()


@pytest.mark.parametrize("names", [["a", "b"], ["a"], ["a/x", "b/y"], ["model/a", "b"]])
def test_without_such_a_folder_nothing_is_left_out(names: list[str]) -> None:
    assert common_root([file(name) for name in names]) is None
