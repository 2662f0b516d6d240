import pytest

from shared.bus.denials import Denial, Denials, denial_of, is_unknown_to_server


@pytest.mark.parametrize(
    ("said", "denial"),
    [
        (
            'nats: permissions violation for publish to "hv.meta.a.b.report"',
            Denial("publish", "hv.meta.a.b.report"),
        ),
        (
            'nats: \'Permissions Violation for Subscription to "hv.>" using queue "q"\'',
            Denial("subscription", "hv.>"),
        ),
        ("nats: 'Maximum Payload Violation'", None),
    ],
)
def test_what_was_denied_is_read_from_what_the_server_says(
    said: str, denial: Denial | None
) -> None:
    assert denial_of(said) == denial


@pytest.mark.parametrize(
    ("said", "unknown"),
    [
        ("nats: 'Authorization Violation'", True),
        ("nats: 'User Authentication Revoked'", True),
        ("nats: 'Authentication Timeout'", True),
        ("nats: unexpected EOF", False),
        ('nats: permissions violation for publish to "a"', False),
    ],
)
def test_credentials_that_are_wrong(said: str, unknown: bool) -> None:
    assert is_unknown_to_server(said) is unknown


def test_every_denial_counts_and_each_is_news_once() -> None:
    denials, one = Denials(), Denial("publish", "a")
    assert [denials.add(one), denials.add(one), denials.add(Denial("publish", "b"))] == [
        True,
        False,
        True,
    ]
    assert denials.count == 3
    assert denials.has("publish", "A")
    denials.forget("publish", "a")
    assert not denials.has("publish", "a")


def test_what_is_remembered_is_bounded() -> None:
    denials = Denials()
    for number in range(1000):
        denials.add(Denial("publish", str(number)))
    assert denials.count == 1000
    assert not denials.has("publish", "999")
