"""What a world tells its processes is what they take."""

from pathlib import Path

import pytest

from control_plane.settings import load as load_control
from edge_node.settings import load as load_edge
from heliovox.local.home import Home
from heliovox.local.world.settings import (
    BusAccess,
    CentreAccess,
    ContentAccess,
    Plan,
    command,
    control_settings,
    node_settings,
)

CENTRE = CentreAccess(Path("/pub.pem"), "http://127.0.0.1:8400")
CONTENT = ContentAccess({"eu-west": "nats://127.0.0.1:4223"}, Path("/c"), Path("/pseudonyms"))
BUS = BusAccess("nats://127.0.0.1:4222", Path("/seed"))


def plan(**fields: object) -> Plan:
    return Plan(Home(Path("/h")), {"PATH": "/bin"}, **fields)  # type: ignore[arg-type]


def test_nodes_are_named_after_their_regions() -> None:
    two = plan(regions=("a", "b", "a"))
    assert two.nodes == (("a-1", "a"), ("b-1", "b"), ("a-2", "a"))


@pytest.mark.parametrize("streams", [None, 3])
def test_a_node_takes_its_settings(streams: int | None) -> None:
    """Where it is told how many sessions to take it need not measure."""
    wanted = plan(streams_per_node=streams, recogniser="scripted")
    settings = load_edge(
        None, node_settings(wanted, "eu-west-1", "eu-west", BUS, CONTENT, CENTRE), {}
    )
    assert settings.centre.api_url == "http://127.0.0.1:8400"
    assert settings.content.servers == {"eu-west": "nats://127.0.0.1:4223"}
    assert settings.content.pseudonym_key_file == Path("/pseudonyms")
    assert (settings.node_id, settings.region, settings.port) == ("eu-west-1", "eu-west", 0)
    assert settings.capacity.calibrate is (streams is None)
    assert settings.capacity.share == 0.25
    assert settings.capacity.cache_dir == Path("/h/cache")
    assert settings.max_streams == (3 if streams else load_edge(None, {}, {}).max_streams)
    assert str(settings.state_dir).startswith("/h/run/")


def test_a_control_plane_takes_its_settings() -> None:
    settings = load_control(None, control_settings(plan(port=8401), BUS), {})
    assert (settings.port, settings.bus.seed_file) == (8401, Path("/seed"))
    assert settings.fallback_region == "eu-central"
    own = plan(regions_file=Path("/r.yaml"))
    assert load_control(None, control_settings(own, BUS), {}).regions_file == Path("/r.yaml")


def test_children_inherit_no_settings_of_other_nodes() -> None:
    environ = {"HELIOVOX_EDGE_PORT": "1", "HELIOVOX_CONTROL_PORT": "2", "PATH": "/bin"}
    assert Plan(Home(Path("/h")), environ).child_environ() == {"PATH": "/bin"}


def test_arguments_hold_nothing_but_a_file() -> None:
    assert command("edge_node", Path("/s.yaml"))[1:] == (
        "-m", "edge_node", "serve", "--json", "--config", "/s.yaml",
    )  # fmt: skip
