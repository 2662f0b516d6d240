from edge_node.sessions.history import History


def test_the_story_is_bounded_and_says_what_it_left_out() -> None:
    history = History(limit=2)
    for number in range(5):
        history.note("final", number * 100, str(number))
    assert len(history) == 5
    assert str(history).splitlines() == [
        "... 3 earlier",
        "       300  final: 3",
        "       400  final: 4",
    ]
