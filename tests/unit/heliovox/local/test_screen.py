from heliovox.local.screen import Screen
from heliovox.protocol import messages as m

FINAL = m.Final(1, 0, 1, "one two", (), "finish")
ENDED = m.Ended("s", "finish", 1, 10)


def written(*, terminal: bool, columns: int = 40) -> tuple[Screen, list[str]]:
    out: list[str] = []
    return Screen(out.append, terminal, columns), out


def test_a_pipe_gets_every_line_as_it_is() -> None:
    screen, out = written(terminal=False)
    screen.title("A part")
    screen.line("a word " * 20, indent=6)
    assert out == ["\nA part\n", "      " + "a word " * 20 + "\n"]


def test_a_terminal_gets_lines_that_fit_with_every_word() -> None:
    screen, out = written(terminal=True)
    text = "eu-central eu-west ap-south sa-east not_allowed " * 3
    screen.line(text)
    lines = out[0].splitlines()
    assert max(map(len, lines)) <= 40
    assert " ".join(out[0].split()) == text.strip()


def test_names_on_a_board_leave_their_words_in_one_column() -> None:
    screen, out = written(terminal=False)
    board = screen.board(["Paris", "São Paulo"])
    for row in (0, 1):
        show = board(row)
        show(FINAL)
        show(ENDED)
    assert out == ["  Paris      one two\n", "  São Paulo  one two\n"]
