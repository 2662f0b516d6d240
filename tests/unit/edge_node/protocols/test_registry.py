"""Connections that are only names, on a clock that is only a number."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from edge_node.protocols.registry import ConnectionLimits, Registry

LIMITS = ConnectionLimits(connections=8, reserved=2, request_s=10, unread_s=30, goodbye_s=5)


class Watch:
    def __init__(self) -> None:
        self.time_s = 0.0

    def now_s(self) -> float:
        return self.time_s

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nobody sleeps here, not for {seconds} s")


class Connection:
    """As a transport does it: an abort is followed by the news that it is gone."""

    def __init__(self, registry: Registry) -> None:
        self.registry, self.open = registry, True
        registry.arrived(self)

    def abort(self) -> None:
        self.open = False

    def gone(self) -> None:
        self.open = False
        self.registry.left(self)


def asked(registry: Registry) -> Connection:
    connection = Connection(registry)
    registry.asked(connection)
    return connection


def test_a_silent_connection_runs_out_of_time() -> None:
    watch = Watch()
    registry = Registry(LIMITS, watch)
    silent, speaking = Connection(registry), asked(registry)
    watch.time_s = 9.9
    registry.tick()
    assert silent.open
    watch.time_s = 10
    registry.tick()
    assert not silent.open
    assert speaking.open
    assert registry.ended == {"no_request": 1}


def test_a_request_in_drops_does_not_buy_more_time() -> None:
    watch = Watch()
    registry = Registry(LIMITS, watch)
    slow = Connection(registry)
    for watch.time_s in (3, 6, 9):
        registry.asking(slow)
    watch.time_s = 10
    registry.tick()
    assert not slow.open


def test_the_next_request_on_a_connection_has_its_own_time() -> None:
    watch = Watch()
    registry = Registry(LIMITS, watch)
    connection = asked(registry)
    watch.time_s = 100
    registry.asking(connection)
    registry.tick()
    assert connection.open
    watch.time_s = 110
    registry.tick()
    assert not connection.open


def test_a_response_nobody_reads_is_given_up() -> None:
    watch = Watch()
    registry = Registry(LIMITS, watch)
    reader, sleeper = asked(registry), asked(registry)
    registry.unread(reader)
    registry.unread(sleeper)
    watch.time_s = 20
    registry.read(reader)
    watch.time_s = 30
    registry.tick()
    assert (reader.open, sleeper.open) == (True, False)
    assert registry.ended == {"unread": 1}


@given(st.lists(st.sampled_from(["silent", "asks", "leaves"]), max_size=60))
def test_a_flood_of_the_silent_pushes_out_only_its_own(story: list[str]) -> None:
    registry = Registry(LIMITS, Watch())
    silent: list[Connection] = []
    served: list[Connection] = []
    for what in story:
        if what == "silent":
            silent.append(Connection(registry))
        elif what == "asks" and len(served) < LIMITS.connections - LIMITS.silent:
            served.append(asked(registry))
        elif what == "leaves" and served:
            served.pop().gone()
        for cut in [one for one in silent if not one.open]:
            silent.remove(cut)
            cut.gone()
        assert all(one.open for one in served)
        assert registry.open == len(silent) + len(served) <= LIMITS.connections
        assert registry.silent <= LIMITS.silent
    if silent:
        assert silent[-1].open  # the newest always has its chance


def test_a_node_full_of_served_callers_turns_the_next_one_away() -> None:
    registry = Registry(LIMITS, Watch())
    served = [asked(registry) for _ in range(LIMITS.connections)]
    late = Connection(registry)
    assert not late.open
    assert all(one.open for one in served)
    assert registry.ended == {"no_room": 1}


def joined(registry: Registry, number: int) -> list[tuple[Any, Connection]]:
    pairs: list[tuple[Any, Connection]] = [(object(), asked(registry)) for _ in range(number)]
    for socket, transport in pairs:
        assert registry.room_for_socket()
        registry.joined(socket, transport)
    return pairs


def test_sockets_leave_room_for_probes() -> None:
    registry = Registry(LIMITS, Watch())
    pairs = joined(registry, LIMITS.sockets)
    for _, transport in pairs:
        registry.spoke(transport)
    assert not registry.room_for_socket()
    registry.parted(*pairs[0])
    assert registry.room_for_socket()
    assert all(transport.open for _, transport in pairs)


def test_sockets_that_say_nothing_make_room() -> None:
    registry = Registry(LIMITS, Watch())
    pairs = joined(registry, LIMITS.sockets)
    registry.spoke(pairs[0][1])
    assert registry.room_for_socket()
    assert [transport.open for _, transport in pairs] == [True, False] + [True] * 4
    assert registry.ended == {"undecided_crowded_out": 1}
