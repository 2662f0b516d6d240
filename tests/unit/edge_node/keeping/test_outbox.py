"""What waits to be kept is bounded, goes in order, and is lost only where that is counted."""

from hypothesis import given
from hypothesis import strategies as st

from edge_node.keeping.outbox import Item, Outbox

SIZE = Item("sx", "x", "0", b"", 10).size_bytes


def item(name: str, subject: str = "x", *, until_ms: int = 10, **changes: bool) -> Item:
    return Item("s" + subject, subject, name, b"", until_ms, **changes)


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["add", "end", "replace", "done", "late", "delete"]),
        st.sampled_from("xyz"),
    ),
    max_size=40,
)


@given(room=st.integers(0, 5), actions=ACTIONS)
def test_it_never_holds_more_than_it_may_and_counts_what_it_does_not_take(
    room: int, actions: list[tuple[str, str]]
) -> None:
    """In the order in which it was added; what ends a subject leaves nothing of it behind."""
    outbox = Outbox(room * (SIZE + 1), most_ends=2)
    model: list[Item] = []
    for number, (do, subject) in enumerate(actions):
        now_ms = 10 if do == "late" else 0
        if do in ("add", "end", "replace"):
            new = item(f"{number:02d}", subject, ends=do == "end", replaces=do == "replace")
            if do != "add":
                model = [one for one in model if one.subject != subject]
            ends = sum(one.ends for one in model)
            size = sum(one.size_bytes for one in model)
            fits = ends < 2 if new.ends else size + new.size_bytes <= room * (SIZE + 1)
            before = outbox.dropped["no_room"]
            assert outbox.add(new) is fits
            assert outbox.dropped["no_room"] == before + (not fits)
            model += [new] if fits else []
        elif do == "done" and model:
            outbox.done(model.pop(0))
        elif do == "delete":
            outbox.delete("s" + subject)
            model = [one for one in model if one.subject != subject or one.ends]
        elif do == "late":
            model = [one for one in model if one.ends]
        assert outbox.first(99, now_ms) == model
        assert outbox.size_bytes == sum(one.size_bytes for one in model)
        assert len(outbox) == len(model)


def test_what_was_said_first_is_kept_first() -> None:
    outbox = Outbox(2 * SIZE)
    assert [outbox.add(item(str(number))) for number in range(3)] == [True, True, False]
    assert [one.message_id for one in outbox.first(1, 0)] == ["0"]
    assert outbox.dropped == {"no_room": 1}


def test_what_waits_already_is_not_taken_twice() -> None:
    outbox = Outbox(9 * SIZE)
    assert outbox.add(item("1"))
    assert outbox.add(item("1"))
    assert len(outbox) == 1


def test_what_has_come_too_late_is_dropped_and_counted() -> None:
    outbox = Outbox(9 * SIZE)
    outbox.add(item("1", until_ms=5))
    outbox.add(item("2", until_ms=6))
    assert [one.message_id for one in outbox.first(9, 5)] == ["2"]
    assert outbox.dropped["too_late"] == 1


def test_one_that_is_gone_is_no_error() -> None:
    outbox = Outbox(9 * SIZE)
    outbox.done(item("1"))
    outbox.add(item("1"))
    outbox.drop("x")
    outbox.drop("x")
    assert (len(outbox), outbox.size_bytes) == (0, 0)
