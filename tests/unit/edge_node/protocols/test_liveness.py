from edge_node.protocols.liveness import Liveness, LivenessLimits, Verdict

LIMITS = LivenessLimits(ping_s=20, dead_s=20, unread_s=30)


def test_silence_is_asked_about_and_then_is_death() -> None:
    liveness = Liveness(LIMITS, now_s=0)
    said = {now_s: liveness.judge(now_s, paused=False) for now_s in range(45)}
    assert [now_s for now_s, verdict in said.items() if verdict is Verdict.PING] == [20]
    assert next(now_s for now_s, verdict in said.items() if verdict is Verdict.DEAD) == 40


def test_any_byte_is_a_sign_of_life() -> None:
    liveness = Liveness(LIMITS, now_s=0)
    assert liveness.judge(20, paused=False) is Verdict.PING
    liveness.heard(39)
    assert liveness.judge(58, paused=False) is Verdict.WELL
    assert liveness.judge(59, paused=False) is Verdict.PING


def test_nobody_dies_while_reading_is_paused() -> None:
    """A pong waits behind audio that the node does not read."""
    liveness = Liveness(LIMITS, now_s=0)
    assert liveness.judge(20, paused=False) is Verdict.PING
    assert {liveness.judge(now_s, paused=True) for now_s in range(21, 200)} == {Verdict.WELL}
    assert liveness.judge(200, paused=False) is Verdict.WELL


def test_a_full_buffer_counts_from_its_first_moment() -> None:
    liveness = Liveness(LIMITS, now_s=0)
    liveness.stuck(5)
    liveness.stuck(20)
    liveness.heard(34)
    assert liveness.judge(34, paused=False) is Verdict.WELL
    assert liveness.judge(35, paused=False) is Verdict.UNREAD


def test_a_buffer_that_drained_in_time_is_forgiven() -> None:
    liveness = Liveness(LIMITS, now_s=0)
    liveness.stuck(0)
    liveness.unstuck(10)
    liveness.stuck(15)
    liveness.heard(40)
    assert liveness.judge(44, paused=False) is Verdict.WELL


def test_who_reads_is_alive_though_our_ping_waits_behind_what_he_reads() -> None:
    liveness = Liveness(LIMITS, now_s=0)
    assert liveness.judge(20, paused=False) is Verdict.PING
    liveness.stuck(21)
    liveness.unstuck(39)
    assert liveness.judge(40, paused=False) is Verdict.WELL


def test_unread_is_said_even_while_reading_is_paused() -> None:
    liveness = Liveness(LIMITS, now_s=0)
    liveness.stuck(0)
    assert liveness.judge(30, paused=True) is Verdict.UNREAD
