"""Whatever is done to a bundle is found: by who holds no key, by who holds some of them."""

import json
import random
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.errors import UnsatisfiedAssumption

from control_plane.ledger.statement import centre_files, sign_world
from shared.ledger.canonical import NOTHING, canonical, leaf_hash
from shared.ledger.heads import WITNESS, sign, unsigned
from tests.support.ledgers import (
    START_MS,
    WHOLE,
    Story,
    chaotic_hour,
    files_of,
    key_from,
)
from tests.support.verdicts import verdict

Files = dict[str, bytes]
STORIES = st.integers(0, 7)


@cache
def story_of(seed: int) -> Story:
    return chaotic_hour(seed, acts=14)


@cache
def honest(seed: int) -> Files:
    files = files_of(story_of(seed))
    assert verdict(files)["problems"] == 0
    return files


def ledgers(files: Files) -> list[str]:
    return sorted(name for name in files if name.startswith("records/") and files[name])


def split(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def chained(lines: list[bytes]) -> bytes:
    """The same records with numbers and hashes that fit: whoever has no key can do that much."""
    last, done = NOTHING, []
    for number, line in enumerate(lines):
        record = json.loads(line) | {"n": number, "prev": last}
        done.append(canonical(record))
        last = leaf_hash(done[-1]).hex()
    return b"".join(line + b"\n" for line in done)


def found(files: Files, before: Files, **beside: Any) -> str:
    if files == before:
        raise UnsatisfiedAssumption
    first = verdict(files, **beside)["first"]
    assert first is not None
    return str(first)


# --- by who holds no key ---


@given(seed=STORIES, data=st.data())
@settings(max_examples=60)
def test_no_byte_can_be_changed(seed: int, data: st.DataObject) -> None:
    files = honest(seed)
    name = data.draw(st.sampled_from(sorted(files)))
    at = data.draw(st.integers(0, len(files[name]) - 1))
    byte = data.draw(st.integers(0, 255))
    changed = files[name][:at] + bytes([byte]) + files[name][at + 1 :]
    found(files | {name: changed}, files)


def dropped(lines: list[bytes], at: int, _: int) -> list[bytes]:
    return lines[:at] + lines[at + 1 :]


def doubled(lines: list[bytes], at: int, _: int) -> list[bytes]:
    return lines[: at + 1] + lines[at:]


def swapped(lines: list[bytes], at: int, other: int) -> list[bytes]:
    lines = list(lines)
    lines[at], lines[other] = lines[other], lines[at]
    return lines


def cut(lines: list[bytes], at: int, _: int) -> list[bytes]:
    return lines[:at]


def torn(lines: list[bytes], at: int, _: int) -> list[bytes]:
    return [*lines[:at], lines[at][:-1]]


def headless(lines: list[bytes], at: int, _: int) -> list[bytes]:
    return lines[at:]


LINES = [dropped, doubled, swapped, cut, torn, headless]


@pytest.mark.parametrize("done", LINES, ids=lambda one: one.__name__)
@pytest.mark.parametrize("chain", [False, True], ids=["as they are", "chained again"])
@given(seed=STORIES, data=st.data())
@settings(max_examples=12)
def test_lines_stay_where_they_are(
    chain: bool, done: Callable[..., list[bytes]], seed: int, data: st.DataObject
) -> None:
    files = honest(seed)
    name = data.draw(st.sampled_from(ledgers(files) if chain else sorted(files)))
    lines = split(files[name])
    at, other = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    changed = done(lines, at, other)
    assume(changed != lines)
    tampered = chained(changed) if chain and done is not torn else b"".join(changed)
    found(files | {name: tampered}, files)


@pytest.mark.parametrize("chain", [False, True], ids=["as they are", "chained again"])
@given(seed=STORIES, data=st.data())
@settings(max_examples=40)
def test_no_field_can_be_edited(chain: bool, seed: int, data: st.DataObject) -> None:
    files = honest(seed)
    name = data.draw(st.sampled_from(ledgers(files)))
    lines = split(files[name])
    at = data.draw(st.integers(0, len(lines) - 1))
    record = json.loads(lines[at])
    field = data.draw(st.sampled_from(sorted(record)))
    values = [record[field], None, 0, 7, "", "x", ["de"], NOTHING, START_MS, "eu-only", "default"]
    lines[at] = canonical(record | {field: data.draw(st.sampled_from(values[1:]))}) + b"\n"
    found(files | {name: chained(lines) if chain else b"".join(lines)}, files)


@given(seed=STORIES, data=st.data())
@settings(max_examples=20)
def test_no_record_comes_from_another_node(seed: int, data: st.DataObject) -> None:
    files = honest(seed)
    names = ledgers(files)
    assume(len(names) > 1)
    name, other = data.draw(st.permutations(names))[:2]
    lines, theirs = split(files[name]), split(files[other])
    at = data.draw(st.integers(0, min(len(lines), len(theirs)) - 1))
    spliced = lines[:at] + theirs[at : at + 1] + lines[at + data.draw(st.integers(0, 1)) :]
    for data_ in (b"".join(spliced), chained(spliced)):
        found(files | {name: data_}, files)


@given(seed=STORIES, chain=st.booleans())
@settings(max_examples=16)
def test_two_ledgers_do_not_make_one(seed: int, chain: bool) -> None:
    files = honest(seed)
    names = ledgers(files)
    assume(len(names) > 1)
    merged = split(files[names[0]]) + split(files[names[1]])
    data = chained(merged) if chain else b"".join(merged)
    first = found(files | {names[0]: data}, files)
    assert names[0] in first


@given(seed=STORIES, data=st.data())
@settings(max_examples=16)
def test_no_session_can_be_left_out(seed: int, data: st.DataObject) -> None:
    files = honest(seed)
    session = data.draw(st.sampled_from(sorted(story_of(seed).centre.sessions)))
    said = f'"session":"{session}"'.encode()
    tampered = {
        name: chained([line for line in split(files[name]) if said not in line])
        for name in ledgers(files)
    }
    found(files | tampered, files)


@given(seed=STORIES, data=st.data())
@settings(max_examples=16)
def test_no_boot_can_be_left_out(seed: int, data: st.DataObject) -> None:
    files = honest(seed)
    name = data.draw(st.sampled_from(ledgers(files)))
    lines = split(files[name])
    boots = sorted({json.loads(line)["boot"] for line in lines})
    gone = data.draw(st.sampled_from(boots))
    left = chained([line for line in lines if json.loads(line)["boot"] != gone])
    found(files | {name: left}, files)


@given(seed=STORIES, data=st.data(), heads=st.booleans())
@settings(max_examples=16)
def test_no_node_can_be_left_out(seed: int, data: st.DataObject, heads: bool) -> None:
    files = dict(honest(seed))
    name = data.draw(st.sampled_from(ledgers(files)))
    log = name.split(".")[-2]
    del files[name]
    if heads:
        kept = [line for line in split(files["heads.jsonl"]) if log.encode() not in line]
        files["heads.jsonl"] = b"".join(kept)
    found(files, honest(seed))


def test_no_ledger_is_added() -> None:
    files = honest(1)
    [name, *_] = ledgers(files)
    first = found(files | {"records/a.a-9.0123456789abcdef.jsonl": files[name]}, files)
    assert "no head speaks of this ledger" in first


def test_the_first_wrong_thing_is_named() -> None:
    """File, node, number of the record, and what."""
    files = honest(1)
    [name, *_] = ledgers(files)
    lines, heads = split(files[name]), [json.loads(line) for line in split(files["heads.jsonl"])]
    signed = {one["head"]["size"] for one in heads if one["head"]["log"] in name}
    at = next(at for at in range(len(lines)) if at + 1 not in signed)
    record = json.loads(lines[at])
    lines[at] = canonical(record | {"at_ms": record["at_ms"] + 1}) + b"\n"
    node = name.split(".")[1]
    said = f"{name}, node {node}, record {at + 1}: it does not follow the record before it"
    assert found(files | {name: b"".join(lines)}, files).startswith(said)


# --- by who holds some key ---


def centre_again(story: Story, key: Any = None, **other: Any) -> Files:
    """The centre's files, signed again, by its own key or another one."""
    centre = story.centre
    said = {"seen": centre.seen, "sessions": list(centre.sessions.values())}
    said |= {"worlds": centre.worlds} | other
    return centre_files(WHOLE, **said, plane="p-1", made_at_ms=0, key=key or centre.key)


@given(seed=STORIES)
@settings(max_examples=8)
def test_another_centre_is_not_the_centre(seed: int) -> None:
    """It can sign the statement; what it states was witnessed under another key."""
    files = honest(seed) | centre_again(story_of(seed), key_from(random.Random(99)))
    assert "signature is not good" in found(files, honest(seed))


@given(seed=STORIES, data=st.data())
@settings(max_examples=20)
def test_heads_stay_whose_they_are(seed: int, data: st.DataObject) -> None:
    """Whatever of a head is changed, or taken from another one: not even the centre can."""
    story = story_of(seed)
    at, other = (data.draw(st.integers(0, len(story.centre.seen) - 1)) for _ in range(2))
    seen = list(story.centre.seen)
    field = data.draw(st.sampled_from(["key", "root", "chain", "size", "node", "region", "log"]))
    value = getattr(seen[other].head, field)
    assume(value != getattr(seen[at].head, field))
    head = msgspec.structs.replace(seen[at].head, **{field: value})
    fake = msgspec.structs.replace(seen[at], head=head)
    sig = sign(WITNESS, unsigned(fake), story.centre.key)
    seen[at] = msgspec.structs.replace(fake, sig=sig)
    first = found(honest(seed) | centre_again(story, seen=seen), honest(seed))
    assert "the node's signature is not good" in first


@given(seed=STORIES, data=st.data())
@settings(max_examples=12)
def test_what_a_node_signed_cannot_be_shortened_behind_it(seed: int, data: st.DataObject) -> None:
    """The centre leaves a node's last heads out, and the records with them: who kept one knows."""
    story = story_of(seed)
    node = data.draw(st.sampled_from([one for one in story.nodes if one.lines]))
    mine = [one for one in story.centre.seen if one.head.log == node.log]
    assume(len({one.head.size for one in mine}) > 1)
    last = mine[-1].head.size
    seen = [one for one in story.centre.seen if one not in mine or one.head.size < last]
    size = max(one.head.size for one in seen if one.head.log == node.log)
    name = next(name for name in ledgers(honest(seed)) if node.log in name)
    lines = split(honest(seed)[name])[:size]
    files = honest(seed) | {name: b"".join(lines)} | centre_again(story, seen=seen)
    kept = canonical(mine[-1]) + b"\n"
    assert "the node signed more" in found(files, honest(seed), heads=kept)


@given(seed=STORIES)
@settings(max_examples=8)
def test_policies_cannot_be_made_wider_afterwards(seed: int) -> None:
    story = story_of(seed)
    assume(story.centre.sessions)
    worlds = []
    for one in story.centre.worlds:
        wider = one.world.policies | {"eu-only": one.world.policies["default"]}
        world = msgspec.structs.replace(one.world, policies=wider)
        worlds.append(msgspec.structs.replace(one, world=world))
    first = found(honest(seed) | centre_again(story, worlds=worlds), honest(seed))
    assert "worlds.jsonl, record 0: the centre's signature is not good" in first
    worlds = [sign_world(one, story.centre.key) for one in worlds]  # by the centre itself
    first = found(honest(seed) | centre_again(story, worlds=worlds), honest(seed))
    assert "another set of allowed regions" in first  # records tell what they went by


@given(seed=STORIES, data=st.data())
@settings(max_examples=12)
def test_the_centre_cannot_forget_what_it_decided(seed: int, data: st.DataObject) -> None:
    story = story_of(seed)
    sessions = dict(story.centre.sessions)
    ends = START_MS
    decided = [name for name, line in sessions.items() if line.decision and line.at_ms > ends]
    assume(decided)
    del sessions[data.draw(st.sampled_from(decided))]
    files = honest(seed) | centre_again(story, sessions=list(sessions.values()))
    assert "the centre knows nothing of the decision" in found(files, honest(seed))


@given(seed=STORIES, data=st.data())
@settings(max_examples=12)
def test_a_session_that_the_centre_opened_is_in_a_ledger(seed: int, data: st.DataObject) -> None:
    story = story_of(seed)
    sessions = list(story.centre.sessions.values())
    line = data.draw(st.sampled_from(sessions))
    line = msgspec.structs.replace(line, session="hidden", at_ms=START_MS + 1, boot="")
    files = honest(seed) | centre_again(story, sessions=[*sessions, line])
    assert "no ledger says that it was heard" in found(files, honest(seed))
