import argparse

import pytest

from heliovox.cli.options import add_session, with_coordinates


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_session(parser)
    return parser.parse_args(with_coordinates(arguments))


@pytest.mark.parametrize(
    ("text", "place"),
    [("48.85,2.35", (48.85, 2.35)), ("-23.55,-46.63", (-23.55, -46.63)), ("-90, 180", (-90, 180))],
)
def test_a_place_south_of_the_equator_is_no_option(text: str, place: tuple[float, float]) -> None:
    assert parsed("--from", text).place == place
    assert parsed(f"--from={text}").place == place


@pytest.mark.parametrize("text", ["91,0", "0,181", "nan,0", "1", "1,2,3", "Paris", "1e9,2", ""])
def test_a_place_that_is_none_is_wrong_usage(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parsed("--from", text)
    assert left.value.code == 2
    assert "--from" in capsys.readouterr().err


def test_other_options_are_left_alone() -> None:
    assert with_coordinates(["--from", "--json", "-1,2"]) == ["--from", "--json", "-1,2"]
