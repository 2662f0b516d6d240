"""Numbers for operators, read from the node's state when somebody asks; never a caller's name."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4"


@dataclass(frozen=True, slots=True)
class Reading:
    """One number, or one for each value of a label, as it is now."""

    name: str
    help: str
    read: Callable[[], float | Mapping[str, float]]
    label: str | None = None
    counter: bool = False
    """Whether it only grows."""


class Readings(Collector):
    """Asks the node's parts when a scrape comes: between scrapes nothing is spent."""

    def __init__(self, readings: Iterable[Reading]) -> None:
        self._readings = tuple(readings)

    def collect(self) -> Iterable[Metric]:
        """Every reading."""
        for reading in self._readings:
            yield _family(reading)


def _family(reading: Reading) -> Metric:
    kind = CounterMetricFamily if reading.counter else GaugeMetricFamily
    value = reading.read()
    if not isinstance(value, Mapping):
        return kind(reading.name, reading.help, value=value)
    family = kind(reading.name, reading.help, labels=[reading.label or "kind"])
    for label, number in value.items():
        family.add_metric([label], number)
    return family


class Metrics:
    """What /metrics shows."""

    def __init__(self, readings: Iterable[Reading]) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(Readings(readings))
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """Everything, in the exposition format."""
        return generate_latest(self._registry)
