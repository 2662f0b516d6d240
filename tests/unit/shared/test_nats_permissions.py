"""No identity but a region's own node says what is the node's to say, and content stays at home."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import nats_permissions, subjects
from shared.nats_permissions import Permissions

REGIONS = ("r-1", "r-2")
NODES = {"r-1": ("a", "b"), "r-2": ("c", "a-2")}
PLANES = ("p-1", "p-2")
WHATS = ("report", "ask", "bundle", "note", "reserve", "command", "words", "x.y")


def everybody() -> Mapping[tuple[str, str, str], Permissions]:
    """By what they are, their region and name."""
    who = {}
    for region in REGIONS:
        for node in NODES[region]:
            who["node", region, node] = nats_permissions.node(region, node)
            who["writer", region, f"{node}-w"] = nats_permissions.writer(region, node)
        who["listener", region, f"ear-{region}"] = nats_permissions.listener(f"ear-{region}")
        who["custodian", region, f"keys-{region}"] = nats_permissions.custodian(f"keys-{region}")
        who["leaf", region, region] = nats_permissions.leaf(region, NODES[region], PLANES)
    for plane in PLANES:
        who["plane", "centre", plane] = nats_permissions.plane(plane)
    who["operator", "centre", "op"] = nats_permissions.operator("op")
    return who


EVERYBODY = everybody()
ANYBODY = st.sampled_from(sorted(EVERYBODY))
NAMED = st.sampled_from([(region, node) for region in REGIONS for node in NODES[region]])


@given(who=ANYBODY, named=NAMED, what=st.sampled_from(nats_permissions.NODE_SAYS))
def test_a_node_speaks_for_itself_and_nobody_else_does(
    who: tuple[str, str, str], named: tuple[str, str], what: str
) -> None:
    """The link of a region passes on what its own nodes say."""
    kind, region, name = who
    may = EVERYBODY[who].may_publish(subjects.node_subject(*named, what))
    own = kind == "node" and (region, name) == named
    passes_on = kind == "leaf" and region == named[0]
    assert may == (own or passes_on)


@given(who=ANYBODY, named=NAMED, plane=st.sampled_from(PLANES))
def test_who_waits_in_a_control_planes_line_is_asked_about_by_his_node_and_there(
    who: tuple[str, str, str], named: tuple[str, str], plane: str
) -> None:
    kind, region, name = who
    said = subjects.wait(*named, plane)
    own = kind == "node" and (region, name) == named
    passes_on = kind == "leaf" and region == named[0]
    assert EVERYBODY[who].may_publish(said) == (own or passes_on)
    if kind == "plane":
        assert EVERYBODY[who].may_subscribe(subjects.waits(plane)) == (name == plane)


@given(who=ANYBODY, named=NAMED, what=st.sampled_from(nats_permissions.NODE_HEARS))
def test_only_control_planes_command(
    who: tuple[str, str, str], named: tuple[str, str], what: str
) -> None:
    assert EVERYBODY[who].may_publish(subjects.node_subject(*named, what)) == (who[0] == "plane")


@given(who=ANYBODY, named=NAMED, what=st.sampled_from(WHATS))
def test_content_is_said_by_its_node_with_its_other_key_and_heard_by_listeners(
    who: tuple[str, str, str], named: tuple[str, str], what: str
) -> None:
    """A listener hears whatever lies on his own server, and connects to no other."""
    kind, region, name = who
    said = subjects.content(*named, what)
    assert EVERYBODY[who].may_publish(said) == (
        kind == "writer" and (region, name) == (named[0], f"{named[1]}-w")
    )
    assert EVERYBODY[who].may_hear(said) == (kind == "listener")


@given(who=ANYBODY, session=st.sampled_from(["a1", "b2"]))
def test_only_custodians_say_that_content_is_deleted_and_only_who_keeps_it_hears(
    who: tuple[str, str, str], session: str
) -> None:
    for said in (subjects.forget(session), subjects.deleted(session)):
        assert EVERYBODY[who].may_publish(said) == (who[0] == "custodian")
        assert EVERYBODY[who].may_hear(said) == (who[0] in ("writer", "operator"))


@given(who=ANYBODY, other=ANYBODY)
def test_nobody_hears_anothers_answers(
    who: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    """But for a region's link, on the way to the region's own nodes."""
    answers = f"{nats_permissions.inbox(other[2])}.abc.1"
    if other[0] == "writer":
        answers = f"{nats_permissions.writer_inbox(other[1], other[2].removesuffix('-w'))}.abc.1"
    carried = who[0] == "leaf" and other[0] == "node" and other[1] == who[1]
    assert EVERYBODY[other].may_hear(answers) or other[0] == "leaf"
    if who != other and not carried:
        assert not EVERYBODY[who].may_hear(answers)


@pytest.mark.parametrize("who", sorted(EVERYBODY))
def test_nobody_listens_to_everything(who: tuple[str, str, str]) -> None:
    for pattern in (">", "*", "hv.content.>", "_INBOX.>", "_INBOX_NODE.>", "$SYS.>", "$JS.>"):
        ear = who[0] == "listener" and pattern == "hv.content.>"
        assert EVERYBODY[who].may_subscribe(pattern) == ear


@pytest.mark.parametrize("who", sorted(EVERYBODY))
def test_only_custodians_reach_the_store_of_content(who: tuple[str, str, str]) -> None:
    """A control plane asks the like of its own account, in which there is none."""
    for subject in ("$JS.API.STREAM.PURGE.CONTENT", "$JS.API.CONSUMER.CREATE.CONTENT.a.hv.>"):
        assert EVERYBODY[who].may_publish(subject) == (who[0] in ("custodian", "plane"))
    for subject in ("$JS.API.STREAM.DELETE.CONTENT", "$JS.API.STREAM.CREATE.OTHER", "hv.content.a"):
        if who[0] == "custodian":
            assert not EVERYBODY[who].may_publish(subject)


@pytest.mark.parametrize("who", sorted(EVERYBODY))
def test_only_control_planes_reach_what_is_stored(who: tuple[str, str, str]) -> None:
    for subject in ("$JS.API.STREAM.DELETE.NOTES", "$JS.r-1.API.STREAM.LIST", "$KV.KEYS.a"):
        assert EVERYBODY[who].may_publish(subject) == (who[0] == "plane")


def test_what_the_matcher_says_of_denials() -> None:
    both = Permissions(publish_allow=("a.>",), publish_deny=("a.b.>",), subscribe_allow=("a.>",))
    assert both.may_publish("a.c")
    assert not both.may_publish("a.b.c")
    assert not both.may_publish("b")
    assert both.may_subscribe("a.*")
    assert not both.may_subscribe(">")
    assert not Permissions().may_publish("a")
    assert not Permissions().may_hear("a")


@pytest.mark.parametrize("bad", ["", "a.b", "*", ">", "A", "a b"])
def test_a_name_that_is_a_pattern_gets_no_permissions(bad: str) -> None:
    for make in (
        lambda: nats_permissions.node("r-1", bad),
        lambda: nats_permissions.node(bad, "a"),
        lambda: nats_permissions.plane(bad),
        lambda: nats_permissions.operator(bad),
        lambda: nats_permissions.listener(bad),
        lambda: nats_permissions.writer(bad, "a"),
        lambda: nats_permissions.writer("r-1", bad),
        lambda: nats_permissions.custodian(bad),
        lambda: nats_permissions.leaf(bad, (), ()),
        lambda: nats_permissions.leaf("r-1", (bad,), ()),
    ):
        with pytest.raises(ValueError, match="cannot stand in a subject"):
            make()


@pytest.mark.parametrize("who", [who for who in sorted(EVERYBODY) if who[0] in ("plane", "leaf")])
def test_whoever_connects_to_the_centre_is_denied_content_by_name(
    who: tuple[str, str, str],
) -> None:
    """Whatever is allowed to them one day."""
    assert nats_permissions.ALL_CONTENT in EVERYBODY[who].publish_deny
    assert nats_permissions.ALL_CONTENT in EVERYBODY[who].subscribe_deny
