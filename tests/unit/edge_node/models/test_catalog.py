from pathlib import Path

import pytest

from edge_node.models.catalog import Catalog, parse_catalog
from edge_node.models.store import catalog
from shared.errors import ModelRefused, Unsupported

SHA = "0" * 64
ONE = f"""
models:
  - name: one
    task: recognition
    family: transducer
    title: One
    languages: [en]
    sample_rate: 16000
    licence: MIT
    source: https://example.com
    artefacts: [{{url: "https://example.com/one.tar.bz2?x=1", sha256: "{SHA}", size_bytes: 3}}]
    files: {{tokens: tokens.txt}}
"""


def parsed(text: str = ONE) -> Catalog:
    return parse_catalog(text, "test.yaml")


def test_the_catalogue_that_ships_is_whole() -> None:
    entries = catalog().models
    assert {entry.task for entry in entries} == {"recognition", "synthesis", "vad"}
    assert len({lang for e in entries if e.task == "recognition" for lang in e.languages}) >= 4
    for entry in entries:
        assert entry.embedded or all(a.url.startswith("https://") for a in entry.artefacts)
        assert entry.embedded or {"tokens"} <= set(entry.files)
        assert entry.checksums_known <= (entry.embedded or entry.size_bytes is not None)


def test_the_example_of_the_documentation_is_one() -> None:
    page = (Path(__file__).parents[4] / "docs" / "models" / "README.md").read_text()
    example = page.split("```yaml\n")[1].split("```")[0]
    assert not parsed(example).models[0].checksums_known


def test_no_two_entries_fetch_to_the_same_name() -> None:
    """File names are what mirrors, parts and the book of trusted checksums go by."""
    names = [a.file_name for entry in catalog().models for a in entry.artefacts]
    assert len(names) == len(set(names))


def test_an_entry_is_found_by_name() -> None:
    entry = parsed().find("one")
    assert entry.artefacts[0].file_name == "one.tar.bz2"
    assert (entry.size_bytes, entry.checksums_known) == (3, True)


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(Unsupported) as refused:
        parsed().find("two")
    assert (refused.value.field, refused.value.value) == ("model", "two")
    assert "one" in (refused.value.remedy or "")


def test_without_a_checksum_the_entry_says_so() -> None:
    assert not parsed(ONE.replace(f'"{SHA}"', "null")).find("one").checksums_known


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("task: recognition", "task: cooking", "models.0.task"),
        ("title: One", "titel: One", "models.0.title"),
        ("sample_rate: 16000", "sample_rate: fast", "models.0.sample_rate"),
        ("tokens.txt", "../tokens.txt", "models.0.files.tokens"),
        ("tokens.txt", "/etc/passwd", "models.0.files.tokens"),
        (SHA, "ABC", "models.0.artefacts.0.sha256"),
        ("https://example.com/one", "file:///one", "models.0.artefacts.0.url"),
        ("name: one", "name: ../one", "models.0.name"),
        ("licence: MIT", "licence: MIT\n    embedded: true", "models.0"),
        ("models:", "models: [", "test.yaml"),
    ],
)
def test_a_malformed_catalogue_is_refused_with_the_place(old: str, new: str, place: str) -> None:
    with pytest.raises(ModelRefused, match=place.replace(".", r"\.")):
        parsed(ONE.replace(old, new, 1))


def test_a_name_stands_once() -> None:
    with pytest.raises(ModelRefused, match="more than one model is named one"):
        parsed(ONE + ONE.replace("models:\n", ""))


def test_an_operators_entries_come_after_ours_and_never_replace_them() -> None:
    ours, theirs = (
        parsed(),
        parsed(ONE.replace("MIT", "other") + ONE.replace("models:\n", "").replace("one", "two")),
    )
    joined = ours.joined(theirs)
    assert [entry.name for entry in joined.models] == ["one", "two"]
    assert joined.find("one").licence == "MIT"
