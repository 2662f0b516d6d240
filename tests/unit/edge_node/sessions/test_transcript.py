from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge_node.sessions.transcript import Transcript
from edge_node.stt.engine import Token


def test_pieces_become_words_with_their_frames_and_mean_probability() -> None:
    transcript = Transcript()
    transcript.add([Token("▁can", 3, 0.9), Token("cel", 5, 0.7)])
    transcript.add([Token("▁it", 9, 0.5)])
    found = [
        (w.text, w.first_frame, w.last_frame, round(w.confidence, 6)) for w in transcript.words
    ]
    assert found == [("cancel", 3, 5, 0.8), ("it", 9, 9, 0.5)]
    assert transcript.last_frame == 9


def test_a_first_piece_without_the_mark_still_begins_a_word() -> None:
    transcript = Transcript()
    transcript.add([Token("cel", 0, 1.0)])
    assert [word.text for word in transcript.words] == ["cel"]


@given(
    texts=st.lists(st.sampled_from(["▁a", "b", "▁cd", "▁"]), max_size=12),
    cuts=st.lists(st.integers(0, 12), max_size=4),
)
def test_words_do_not_depend_on_how_tokens_arrive(texts: list[str], cuts: list[int]) -> None:
    tokens = [Token(text, frame, 0.5) for frame, text in enumerate(texts)]
    whole, pieces = Transcript(), Transcript()
    whole.add(tokens)
    edges = [0, *sorted(cut for cut in cuts if cut < len(tokens)), len(tokens)]
    for first, last in pairwise(edges):
        pieces.add(tokens[first:last])
    assert pieces.words == whole.words
