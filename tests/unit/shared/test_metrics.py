from shared.metrics import Metrics, Reading


def test_a_scrape_reads_what_is_there_now() -> None:
    counts = {"a": 1.0}
    metrics = Metrics(
        [
            Reading("streams", "Seats taken.", lambda: 3),
            Reading("ended", "Ended.", lambda: counts, label="reason", counter=True),
        ]
    )
    assert b"streams 3.0" in metrics.text()
    counts["b"] = 2.0
    text = metrics.text()
    assert b'ended_total{reason="a"} 1.0' in text
    assert b'ended_total{reason="b"} 2.0' in text


def test_nothing_counted_yet_is_no_error() -> None:
    empty: dict[str, float] = {}
    assert (
        b"# TYPE ended_total counter"
        in Metrics([Reading("ended", "Ended.", lambda: empty, label="reason", counter=True)]).text()
    )
