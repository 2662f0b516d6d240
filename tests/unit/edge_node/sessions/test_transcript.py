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


def test_a_token_takes_the_place_of_those_it_replaces() -> None:
    transcript = Transcript()
    transcript.add([Token("▁call", 1, 0.9), Token("ome", 4, 0.4), Token("▁now", 7, 0.8)])
    transcript.add([Token("▁home", 4, 0.6, replaces=2), Token("▁now", 8, 0.8)])
    found = [(word.text, word.first_frame, word.last_frame) for word in transcript.words]
    assert found == [("call", 1, 1), ("home", 4, 4), ("now", 8, 8)]
    assert transcript.words[0].confidence == 0.9


def test_a_token_without_text_only_takes_back() -> None:
    transcript = Transcript()
    transcript.add([Token("▁no", 1, 0.9), Token("▁yes", 3, 0.5)])
    transcript.add([Token("", 0, 0.0, replaces=1)])
    assert [word.text for word in transcript.words] == ["no"]
    transcript.add([Token("", 0, 0.0, replaces=1)])
    assert transcript.words == []
    assert transcript.last_frame == -1


@given(
    kept=st.lists(st.sampled_from(["▁a", "b", "▁cd"]), max_size=6),
    mistaken=st.lists(st.sampled_from(["▁a", "b", "▁cd"]), min_size=1, max_size=6),
    instead=st.lists(st.sampled_from(["▁a", "b", "▁cd"]), min_size=1, max_size=6),
)
def test_what_was_replaced_leaves_no_trace(
    kept: list[str], mistaken: list[str], instead: list[str]
) -> None:
    def tokens(texts: list[str], first_frame: int) -> list[Token]:
        return [Token(text, first_frame + i, 0.5) for i, text in enumerate(texts)]

    changed, straight = Transcript(), Transcript()
    first, *rest = tokens(instead, len(kept))
    changed.add(tokens(kept, 0) + tokens(mistaken, len(kept)))
    changed.add([Token(first.text, first.frame, first.probability, len(mistaken)), *rest])
    straight.add(tokens(kept + instead, 0))
    assert changed.words == straight.words
