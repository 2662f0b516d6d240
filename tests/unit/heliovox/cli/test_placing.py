from heliovox.cli.placing import wait_text
from heliovox.protocol.control import Basis, Estimate, InLine


def test_a_place_in_line_is_told_with_what_is_known() -> None:
    assert wait_text(InLine("w", 42.4, 3)) == ("waiting for a seat: number 3 in line, at most 42 s")
    known = Estimate(12.2, 64.0, 0.8, Basis("kind", 800, 40), 0.97)
    assert wait_text(InLine("w", 118.0, 4, known)) == (
        "waiting for a seat: number 4 in line, 12 to 64 s for 80% of callers; "
        "over in 118 s, with a seat for 97%"
    )
    assumed = Estimate(1.0, 900.0, 0.8, Basis("assumed", 0, 40), 0.5)
    assert "little is known yet" in wait_text(InLine("w", 118.0, 4, assumed))
