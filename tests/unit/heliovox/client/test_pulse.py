"""What silence means: a dead node is noticed, a busy one and a slow caller are not taken for it."""

from heliovox.client.pulse import STALLED_S, Beat, Pulse


def slices(pulse: Pulse, *, ahead_s: float = 0.0, answers: bool = False) -> int:
    """How many until the node counts as dead; at most 1000."""
    for count in range(1, 1000):
        match pulse.silence(answered=answers, held_back=False):
            case Beat.DEAD:
                return count
            case Beat.PING:
                pulse.pinged(ahead_s)
            case Beat.WAIT:
                pass
    return 1000


def test_a_dead_node_is_noticed_in_time() -> None:
    assert slices(Pulse(2.0)) * Pulse(2.0).slice_s == 2.0


def test_a_node_that_answers_pings_lives() -> None:
    assert slices(Pulse(2.0), answers=True) == 1000


def test_a_node_that_has_audio_to_read_first_is_given_the_time_it_takes() -> None:
    assert slices(Pulse(2.0), ahead_s=2.9) * 0.5 == 2.0
    assert slices(Pulse(2.0), ahead_s=8.0) * 0.5 == 7.0
    assert slices(Pulse(2.0), ahead_s=9999.0) * 0.5 == 2.0 + STALLED_S


def test_a_connection_that_takes_nothing_is_given_up_at_last() -> None:
    pulse = Pulse(2.0)
    beats = [pulse.silence(answered=False, held_back=True) for _ in range(int(STALLED_S / 0.5))]
    assert beats == [Beat.WAIT] * (len(beats) - 1) + [Beat.DEAD]
