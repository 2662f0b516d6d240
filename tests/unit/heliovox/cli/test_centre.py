"""The commands that ask the control plane, against one that a test wrote."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from heliovox.cli import sessions
from heliovox.cli.main import main
from heliovox.protocol.control import (
    AllowedRegion,
    BundleView,
    CallerWhy,
    ComplianceWhy,
    DecisionView,
    Loser,
    Moved,
    NodeView,
    RegionView,
    RemovedRegion,
    RuledView,
    SessionView,
)
from heliovox.protocol.draining import DrainView, Stays
from heliovox.protocol.messages import Place
from tests.support.fake_control import Answer, FakeControl, fake_control

NODES = [
    NodeView("eu-central-1", "eu-central", "ready", "hot", "ws://a", "0.1", 2, 4, 1,
             {"recognition": 1, "synthesis": 7}, 12.25, 0.4, bundle_version="b-2"),
    NodeView("ap-south-1", "ap-south", "dead", "hot", "ws://b", "0.1", 0, 4, 0, {}, 0.0, 9.0,
             bundle_version="b-1"),
    NodeView("sa-east-1", "sa-east", "unwell", "hot", "ws://c", "0.1", 0, 4, 0, {}, 0.0, 0.1),
]  # fmt: skip
REGIONS = [
    RegionView("eu-central", Place(50.11, 8.68), "Europe/Berlin", "de", ("everywhere", "eu"), 1.2,
               2, 1, 3, {"recognition": 5}),
]  # fmt: skip
SESSIONS = [
    SessionView("s-1", "live", "eu-central-1", "eu-central", "recognition", "en", "acme", "eu-only",
                "c-1", "ticket", 0, audio_ms=61_000, bundle_version="b-1", policy_version="v1",
                ruled=RuledView("finish", "b-2", "v2", "gone.forbid")),
    SessionView("s-2", "ended", "eu-central-1", "eu-central", "recognition", "en", "acme",
                "eu-only", None, "node", 0, reason="finish"),
    SessionView("s-3", "lost", "eu-west-1", "eu-west", "recognition", "en", "acme", "eu-only",
                None, "node", 0, reason="node_gone", recovers=True, came_from="eu-west-2",
                paused_at_ms=5_000),
]  # fmt: skip
DECISION = DecisionView(
    id="c-1", at_ms=0, control_plane="centre", view=7, kind="recognition", language="en",
    model=None, policy="eu-only", policy_version="v1", tenant="acme", place=Place(48.85, 2.35),
    place_source="given", allowed_regions=("eu-central", "eu-west"), home_region="eu-central",
    outcome="placed", node="eu-west-1", region="eu-west", reasons=("overflow_home_full",),
    ranking=(Loser("eu-west-1", "eu-west", "winner", 9.5, 11.0),),
    losers=(
        Loser("eu-central-1", "eu-central", "full", 8.0),
        Loser("ap-south-1", "ap-south", "not_allowed"),
        Loser("sa-east-1", "sa-east", "not_allowed"),
    ),
    attempts=("eu-west-1: granted",),
)  # fmt: skip
UNKNOWN = (404, {"code": "not_found", "detail": "no such thing", "status": 404})
ANSWERS: dict[str, Answer] = {
    "GET /v1/nodes": (200, NODES),
    "GET /v1/bundle": (200, BundleView("b-2", "v1", ("eu-central",))),
    "GET /v1/regions": (200, REGIONS),
    "GET /v1/sessions": (200, SESSIONS),
    "GET /v1/sessions/s-1": (200, SESSIONS[0]),
    "GET /v1/sessions/s-2": (200, SESSIONS[1]),
    "GET /v1/decisions/c-1": (200, DECISION),
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "operator.key").write_text("operators\n")
    monkeypatch.setenv("HELIOVOX_OPERATOR_KEY_FILE", str(tmp_path / "operator.key"))
    monkeypatch.setenv("HELIOVOX_HOME", str(tmp_path / "no-world"))
    monkeypatch.setenv("no_proxy", "*")


def ran(
    monkeypatch: pytest.MonkeyPatch, *arguments: str, answers: dict[str, Answer] = ANSWERS
) -> tuple[int, FakeControl]:
    with fake_control(answers) as fake:
        monkeypatch.setenv("HELIOVOX_CONTROL", fake.url)
        return main(arguments), fake


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_nodes_are_a_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, fake = ran(monkeypatch, "nodes")
    shown = rows(capsys.readouterr().out)
    assert code == 0
    assert shown[0][:3] == ["NODE", "REGION", "STATE"]
    assert shown[1] == [
        *("eu-central-1", "eu-central", "ready", "hot", "2/4", "1", "1", "12.2", "0.4"),
        *("current", "ws://a"),
    ]
    assert [(row[2], row[9]) for row in shown[2:]] == [("dead", "behind"), ("unwell", "none")]
    assert fake.asked[0].authorization == "Bearer operators"


def test_regions_are_a_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(monkeypatch, "regions")[0] == 0
    shown = rows(capsys.readouterr().out)
    assert shown[1] == [
        *("eu-central", "50.11,8.68", "de", "eu", "everywhere", "1/2", "3", "5", "1.20")
    ] or shown[1] == [
        *("eu-central", "50.11,8.68", "de", "everywhere", "eu", "1/2", "3", "5", "1.20")
    ]


def test_sessions_that_ended_are_shown_where_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran(monkeypatch, "sessions")
    shown = capsys.readouterr().out
    assert "s-1" in shown
    assert "1 min 1 s" in shown
    assert "s-2" not in shown
    ran(monkeypatch, "sessions", "--all")
    assert "live (forbidden: gone.forbid)" in shown
    assert "ended (finish)" in capsys.readouterr().out


def test_a_session_that_may_go_on_says_for_how_long_it_waits_and_where_it_was() -> None:
    assert "lost (node_gone, for 4 s, from eu-west-2)" in sessions.shown(SESSIONS, now_ms=9_000)


@pytest.mark.parametrize(
    ("command", "want"),
    [("nodes", NODES), ("regions", REGIONS), ("sessions", [SESSIONS[0], SESSIONS[2]])],
)
def test_json_is_one_object_a_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    want: list[Any],
) -> None:
    assert ran(monkeypatch, command, "--json")[0] == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    key = command.removesuffix("s")
    assert [line[key] for line in lines] == [getattr(one, key) for one in want]


@pytest.mark.parametrize("name", ["c-1", "s-1"])
def test_why_explains_a_decision_and_a_sessions(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert ran(monkeypatch, "why", name)[0] == 0
    text = capsys.readouterr().out
    assert "eu-west-1 in eu-west (home region: eu-central)" in text
    assert "overflow_home_full: the home region is full" in text
    assert "eu-only, version v1, allows eu-central eu-west" in text
    assert "ap-south-1 (ap-south), sa-east-1 (sa-east)" in text
    assert text.count("not_allowed") == 1, "losers are grouped by their reason"
    assert "eu-west-1: granted" in text
    assert "48.85,2.35" in text
    assert ("Bundle b-2 (policies v2) forbids its region:\ngone.forbid" in text) == (name == "s-1")


def test_why_says_that_a_node_decided_by_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(monkeypatch, "why", "s-2")[0] == 0
    assert "admitted by node" in capsys.readouterr().out


def test_why_in_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(monkeypatch, "why", "c-1", "--json")[0] == 0
    assert json.loads(capsys.readouterr().out)["losers"][0]["reason"] == "full"


def test_why_for_the_caller_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    form = CallerWhy(
        id="c-1", at_ms=0, outcome="refused", reasons=("full",), advice="try_again",
        kind="recognition", language="en", model=None, policy="eu-only", policy_version="v1",
        allowed_regions=("eu-central",), home_region="eu-central", node=None, region=None,
        rtt_ms=None, session=None,
    )  # fmt: skip
    answers: dict[str, Answer] = {"GET /v1/decisions/c-1": (200, form)}
    code, fake = ran(monkeypatch, "why", "c-1", "--for", "caller", answers=answers)
    assert (code, fake.asked[0].path) == (0, "/v1/decisions/c-1?for=caller")
    text = capsys.readouterr().out
    assert text.startswith("Refused\n  full: no further session fits")
    assert "try again later" in text


def test_why_for_compliance_names_clauses_and_signature(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    form = ComplianceWhy(
        id="c-1", at_ms=0, control_plane="p", tenant="t", data="health", language="en",
        countries=("fr",), place=None, place_source="given", policy="eu-only", policy_version="v1",
        rules=("minors",), signed_by="abc123",
        allowed=(AllowedRegion("eu-central", "eu-only.allow", True, False, False),),
        removed=(RemovedRegion("sa-east", "minors.forbid"),), home_region="eu-central",
        outcome="placed", region="eu-central", within_policy=True, session="s",
    )  # fmt: skip
    answers: dict[str, Answer] = {"GET /v1/decisions/c-1": (200, form)}
    assert ran(monkeypatch, "why", "c-1", "--for", "compliance", answers=answers)[0] == 0
    text = capsys.readouterr().out
    assert text.startswith("In eu-central: within the policy")
    for said in ("eu-only.allow (home)", "minors.forbid", "abc123", "health", "fr"):
        assert said in text


def test_why_says_what_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = msgspec.structs.replace(
        DECISION, continues="s-1", because="moved", came_from="eu-central-1"
    )
    answers: dict[str, Answer] = {"GET /v1/decisions/c-1": (200, moved)}
    assert ran(monkeypatch, "why", "c-1", answers=answers)[0] == 0
    shown = capsys.readouterr().out
    assert "goes on    session s-1, from eu-central-1: an operator moved it" in shown


def test_what_nobody_knows_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = {"GET /v1/decisions/x": UNKNOWN, "GET /v1/sessions/x": UNKNOWN}
    assert ran(monkeypatch, "why", "x", answers=answers)[0] == 5
    assert "no such thing" in capsys.readouterr().err


def drain_view(live: int, *stays: Stays, moving: int = 0, keeps: bool = False) -> DrainView:
    done = live == len(stays) and not moving
    return DrainView("eu-central-1", True, keeps, live, moving, 4 - live, stays, done)


def test_a_node_is_drained_until_nobody_is_left_who_can_go(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stays = Stays("s-9", "not_movable", "its caller cannot follow")
    later = iter([drain_view(2, moving=1), drain_view(1, stays)])
    answers: dict[str, Answer] = {
        "POST /v1/nodes/eu-central-1/drain": (200, drain_view(4)),
        "GET /v1/nodes/eu-central-1/drain": lambda: (200, next(later)),
    }
    assert ran(monkeypatch, "drain", "eu-central-1", answers=answers)[0] == 0
    said = capsys.readouterr()
    assert "3 sessions moved, 0 on their way, 1 there" in said.out
    assert "s-9 stays: its caller cannot follow (not_movable)" in said.out
    assert said.err.splitlines() == [
        "0 sessions moved, 0 on their way, 4 there",
        "2 sessions moved, 1 on their way, 2 there",
    ]


def test_a_drain_that_is_not_done_in_time_has_failed_and_says_how_far_it_came(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers: dict[str, Answer] = {
        "POST /v1/nodes/eu-central-1/drain": (200, drain_view(4)),
        "GET /v1/nodes/eu-central-1/drain": (200, drain_view(2, moving=2)),
    }
    command = ("drain", "eu-central-1", "--wait", "0.1", "--json")
    assert ran(monkeypatch, *command, answers=answers)[0] == 1
    said = capsys.readouterr()
    assert (json.loads(said.out)["live"], said.err) == (4, "")


@pytest.mark.parametrize(
    ("option", "path", "said"),
    [
        ("--keep", "drain?keep=true", "its 2 sessions stay until they end"),
        ("--undo", "undrain", "serves again"),
    ],
)
def test_sessions_may_be_left_and_a_node_put_back(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    option: str,
    path: str,
    said: str,
) -> None:
    answer: Answer = (200, drain_view(2, keeps=True))
    answers = {f"POST /v1/nodes/eu-central-1/{path.partition('?')[0]}": answer}
    code, fake = ran(monkeypatch, "drain", "eu-central-1", option, answers=answers)
    assert (code, [one.path for one in fake.asked]) == (0, [f"/v1/nodes/eu-central-1/{path}"])
    assert said in capsys.readouterr().out


def test_a_session_is_moved(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    moved: Answer = (200, Moved("s-1", "a", "b", "eu-central", "c-7"))
    answers = {"POST /v1/sessions/s-1/move": moved}
    code, fake = ran(monkeypatch, "move", "s-1", "--to", "b", answers=answers)
    assert (code, fake.asked[0].body) == (0, {"to": "b"})
    assert "s-1 goes from a to b in eu-central (decision c-7)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((401, {"code": "unauthorised", "detail": "unknown key"}), 4),
        ((403, {"code": "forbidden", "detail": "operators alone"}), 5),
        ((200, b"<html>"), 1),
        ((502, b""), 3),
    ],
)
def test_every_refusal_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: Answer, code: int
) -> None:
    assert ran(monkeypatch, "nodes", answers={"GET /v1/nodes": answer})[0] == code
    assert capsys.readouterr().err.count("\n") == 1


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["nodes", "--control", "127.0.0.1:1"]) == 3


def test_no_key_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HELIOVOX_OPERATOR_KEY_FILE")
    assert main(["nodes", "--control", "127.0.0.1:1"]) == 2
    assert "HELIOVOX_OPERATOR_KEY_FILE" in capsys.readouterr().err


def test_what_comes_from_afar_cannot_steer_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wild = [NodeView("n\x1b[2J", "r", "ready", "hot", "u", "v", 0, 1, 0, {}, 0, 0)]
    assert ran(monkeypatch, "nodes", answers=ANSWERS | {"GET /v1/nodes": (200, wild)})[0] == 0
    assert "\x1b" not in capsys.readouterr().out
