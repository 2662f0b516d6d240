"""What the control plane is asked for a session that goes on elsewhere."""

import asyncio

import pytest

from heliovox.client.control import ControlPlane
from heliovox.client.errors import Refused
from heliovox.protocol.control import Moved, ResumeRequest, SessionRequest
from tests.support.fake_control import fake_control, placed

ASKED = ResumeRequest("token", SessionRequest(language="en"), without=("eu-central-1",))


def test_another_node_for_a_session_that_goes_on() -> None:
    answers = {"POST /v1/sessions/s-1/resume": (200, placed("ws://127.0.0.1:1", node="b"))}
    with fake_control(answers) as fake:
        seat = asyncio.run(ControlPlane(fake.url, "key", proxy=None).resume("s-1", ASKED))
    assert (seat.session, seat.node) == ("s-1", "b")
    assert fake.asked[0].body["token"] == "token"
    assert fake.asked[0].body["without"] == ["eu-central-1"]
    assert "token" not in fake.asked[0].path


def test_a_token_that_is_not_good_is_told_as_such() -> None:
    document = {"code": "resume_refused", "detail": "no such session", "field": "token"}
    with (
        fake_control({"POST /v1/sessions/s-1/resume": (401, document)}) as fake,
        pytest.raises(Refused) as caught,
    ):
        asyncio.run(ControlPlane(fake.url, "key", proxy=None).resume("s-1", ASKED))
    assert caught.value.code == "resume_refused"


def test_a_move_names_the_node_or_leaves_it_to_the_centre() -> None:
    moved = Moved("s-1", "a", "b", "eu-central", "c-1")
    with fake_control({"POST /v1/sessions/s-1/move": (200, moved)}) as fake:
        plane = ControlPlane(fake.url, "key", proxy=None)
        assert asyncio.run(plane.move("s-1", "b")) == moved
        assert asyncio.run(plane.move("s-1")) == moved
    assert [asked.body["to"] for asked in fake.asked] == ["b", None]
