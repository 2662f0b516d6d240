import msgspec
import pytest

from control_plane.waiting.news import is_news
from heliovox.protocol.control import Basis, Estimate, InLine

SAID = InLine("w", 60.0, 3, Estimate(20.0, 60.0, 0.8, Basis("kind", 100, 10)))


def now(position: int = 3, low_s: float = 20.0, high_s: float = 60.0) -> InLine:
    assert SAID.estimate is not None
    estimate = msgspec.structs.replace(SAID.estimate, low_s=low_s, high_s=high_s)
    return msgspec.structs.replace(SAID, position=position, estimate=estimate)


@pytest.mark.parametrize(
    ("what", "passed_s", "news"),
    [
        (now(), 0.0, False),
        (now(position=2), 0.0, True),
        (now(position=4), 0.0, True),
        (now(low_s=10.0, high_s=50.0), 10.0, False),  # it came nearer, as was to be expected
        (now(low_s=0.0, high_s=10.0), 50.0, False),
        (now(low_s=28.0, high_s=66.0), 0.0, False),
        (now(low_s=20.0, high_s=75.0), 0.0, True),
        (now(low_s=35.0, high_s=60.0), 0.0, True),
        (msgspec.structs.replace(SAID, estimate=None), 0.0, True),
    ],
)
def test_what_is_worth_telling(what: InLine, passed_s: float, news: bool) -> None:
    assert is_news(SAID, what, passed_s) == news
