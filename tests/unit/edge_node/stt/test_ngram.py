"""Graph files: read as the ARPA format says, and refused in words where they are not."""

from math import log

import pytest

from edge_node.stt.ngram import read_arpa
from shared.errors import ModelRefused

ARPA = """made for a test
scale 0.5
bonus -1

\\data\\
ngram 1=5
ngram 2=2

\\1-grams:
-99\t<s>\t-0.3
-1\t</s>
-0.5\tyes\t-0.2
-0.7\tno
-2\t<unk>

\\2-grams:
-0.1\t<s> yes
-0.4\tyes no

\\end\\
"""


def test_an_arpa_file_is_read() -> None:
    read = read_arpa(ARPA)
    assert read.words == {"yes", "no"}
    assert read.is_open
    assert read.notes == {"scale": 0.5, "bonus": -1.0}
    assert read.logprob[("yes", "no")] == pytest.approx(-0.4 * log(10))
    assert read.backoff == pytest.approx({("<s>",): -0.3 * log(10), ("yes",): -0.2 * log(10)})


def test_without_unknown_words_a_graph_is_closed() -> None:
    assert not read_arpa(ARPA.replace("-2\t<unk>\n", "").replace("1=5", "1=4")).is_open


@pytest.mark.parametrize(
    ("good", "bad", "why"),
    [
        ("\\data\\", "", "no .data. line"),
        ("1=5", "1=6", "has .5, 2"),
        ("1=5", "1=many", "line 6"),
        ("1=5", "9=5", "line 6"),
        ("\\2-grams:", "\\two-grams:", "line 16"),
        ("\\2-grams:", "\\0-grams:", "line 16"),
        ("-0.1\t<s> yes", "-0.1\t<s>", "line 17 is no 2-gram"),
        ("-0.1\t<s> yes", "0.1\t<s> yes", "line 17 is no 2-gram"),
        ("-0.1\t<s> yes", "nan\t<s> yes", "line 17 is no 2-gram"),
        ("-0.1\t<s> yes", "-0.1\t<s> yes -1 -1", "line 17 is no 2-gram"),
        ("\\1-grams:", "", "line 10 is no 0-gram"),
    ],
)
def test_a_broken_file_is_refused(good: str, bad: str, why: str) -> None:
    assert good in ARPA
    with pytest.raises(ModelRefused, match=why) as caught:
        read_arpa(ARPA.replace(good, bad))
    assert caught.value.remedy


def test_a_file_of_no_words_is_refused() -> None:
    with pytest.raises(ModelRefused, match="no words"):
        read_arpa("\\data\\\nngram 1=1\n\\1-grams:\n-1\t<unk>\n")
