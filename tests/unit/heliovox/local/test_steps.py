import json

import pytest

from heliovox.local.calls import Heard, Listener, Recording, Route
from heliovox.local.scoring import OWN_MOST_WER
from heliovox.local.screen import Screen, word_times
from heliovox.local.steps import CallReport, Step, as_json, judged
from heliovox.protocol import messages as m
from heliovox.protocol.audio import AudioFormat

ROUTE = Route("n-1", "eu-central", None)
WORD = m.Word("one", 100, 200, 0.5)


def report(said: str, heard: str) -> CallReport:
    recording = Recording("ann", said, AudioFormat.telephone(), bytes(8000))
    return CallReport.of(recording, Heard(heard, (WORD,), 1, 300.0, 100.0, None, ROUTE))


@pytest.mark.parametrize(
    ("pairs", "ok"),
    [
        ([("a b c d", "a b c d")], True),
        ([("a b c d e f g h", "a b c d e f g x")], True),
        ([("a b c d", "a x y d")], False),
        ([("a", "x y"), ("a b c d e f g h i j k l", "a b c d e f g h i j k l")], False),
        ([], False),
    ],
)
def test_all_together_and_each_alone_must_be_heard(
    pairs: list[tuple[str, str]], *, ok: bool
) -> None:
    """The fourth is good in total, but more was invented in one of its calls than was said."""
    assert judged("x", [report(*pair) for pair in pairs], OWN_MOST_WER, each=True).ok is ok


def test_json_has_every_text_transcript_and_timing() -> None:
    step = judged("listen", [report("one two", "one")], 1.0, each=False)
    call = json.loads(as_json([step]))["steps"][0]["detail"]["calls"][0]
    assert call == {
        "speaker": "ann",
        "said": "one two",
        "heard": "one",
        "errors": 1,
        "words": 2,
        "seconds": 1.0,
        "partials": 1,
        "first_partial_ms": 300.0,
        "first_word_after_ms": 100.0,
        "final_after_end_ms": None,
        "route": {
            "node": "n-1",
            "region": "eu-central",
            "decision": None,
            "rtt_ms": None,
            "home_region": None,
            "overflow": False,
        },
        "word_times": [{"text": "one", "start_ms": 100, "end_ms": 200, "confidence": 0.5}],
    }
    assert word_times(step) == "one 0.10-0.20"


def test_the_whole_is_ok_only_if_every_step_is() -> None:
    good, bad = Step("a", ok=True), Step("b", ok=False)
    assert [json.loads(as_json(s))["ok"] for s in ([good], [good, bad], [])] == [True, False, False]


def test_a_call_is_timed_by_its_own_events() -> None:
    listener = Listener()
    listener.take(m.Partial(0, 0, "", ()), 10.1)  # no words yet
    listener.take(m.Partial(0, 1, "one", (WORD,)), 10.5)
    listener.take(m.Partial(0, 1, "one t", (WORD,)), 10.6)
    listener.take(m.Final(1, 0, 1, "one two", (WORD, WORD), "endpoint"), 11.0)
    listener.take(m.Final(2, 1, 2, "three", (WORD,), "finish"), 12.25)
    heard = listener.heard(10.0, 12.0, ROUTE)
    assert heard == Heard("one two three", (WORD,) * 3, 2, 500.0, 300.0, 250.0, ROUTE)


def test_a_silent_call_has_no_times() -> None:
    assert Listener().heard(1.0, 2.0, ROUTE) == Heard("", (), 0, None, None, None, ROUTE)


def test_what_was_misheard_is_shown() -> None:
    shown: list[str] = []
    Screen(shown.append).verdict(judged("x", [report("one two", "one")], 0.1, each=True))
    assert "  said:  one two\n" in shown
    assert "NOT OK: 1 of 2 words right" in shown[-1]
