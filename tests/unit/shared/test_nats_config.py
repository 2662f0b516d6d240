"""The text of configurations, read back by a reader of this test's own."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from heliovox.local.nats_process import nats_server_binary
from shared.credentials import new_seed
from shared.nats_config import (
    Fleet,
    Identity,
    Regional,
    Server,
    Tls,
    Uplink,
    hub_config,
    leaf_config,
    leaf_secret,
)
from shared.nats_text import quoted

NAMES = ("a", "b", "p", "l-1", "l-2", "op", "sys", "ear", "content-a", "content-b", "custodian")
KEYS = {name: new_seed() for name in NAMES}
FLEET = Fleet(
    regions=("r-1", "r-2"),
    nodes=(
        Regional("r-1", "a", KEYS["a"].public_key),
        Regional("r-2", "b", KEYS["b"].public_key),
    ),
    planes=(Identity("p", KEYS["p"].public_key),),
    leaves=(
        Regional("r-1", "r-1", KEYS["l-1"].public_key),
        Regional("r-2", "r-2", KEYS["l-2"].public_key),
    ),
    operators=(Identity("op", KEYS["op"].public_key),),
    writers=(
        Regional("r-1", "a", KEYS["content-a"].public_key),
        Regional("r-2", "b", KEYS["content-b"].public_key),
    ),
    kept_in={"r-2": frozenset({"r-1"})},
    custodians=(Regional("r-1", "custodian", KEYS["custodian"].public_key),),
    listeners=(Regional("r-1", "ear", KEYS["ear"].public_key),),
    system=(Identity("sys", KEYS["sys"].public_key),),
)
SERVER = Server("/srv/nats")
UPLINK = Uplink("nats-leaf://127.0.0.1:7422", "leaf.conf")
TOKEN = re.compile(r'\s*("[^"]*"|[{}\[\],:]|[^\s{}\[\],:]+)')


def read(text: str) -> dict[str, Any]:
    """Blocks as dicts, lists as lists; `include x` as a key."""
    tokens = TOKEN.findall(text)
    value, rest = _block([*tokens, "}"])
    assert rest == []
    return value


def _block(tokens: list[str]) -> tuple[dict[str, Any], list[str]]:
    found: dict[str, Any] = {}
    while tokens[0] != "}":
        name, tokens = tokens[0], tokens[1:]
        if tokens[0] == ":":
            tokens = tokens[1:]
        found[name], tokens = _value(tokens)
        if tokens and tokens[0] == ",":
            tokens = tokens[1:]
    return found, tokens[1:]


def _value(tokens: list[str]) -> tuple[Any, list[str]]:
    if tokens[0] == "{":
        return _block(tokens[1:])
    if tokens[0] != "[":
        return tokens[0].strip('"'), tokens[1:]
    values, tokens = [], tokens[1:]
    while tokens[0] != "]":
        value, tokens = _value(tokens)
        values.append(value)
        if tokens[0] == ",":
            tokens = tokens[1:]
    return values, tokens[1:]


def users(config: dict[str, Any], account: str = "HELIOVOX") -> dict[str, Any]:
    """Of an account, by the names above."""
    names = {seed.public_key: name for name, seed in KEYS.items()}
    return {names[user["nkey"]]: user for user in config["accounts"][account]["users"]}


def test_the_hub_knows_control_planes_operators_and_links() -> None:
    config = read(hub_config(FLEET, SERVER))
    known = users(config)
    assert set(known) == {"p", "op", "l-1", "l-2"}
    assert known["p"]["allowed_connection_types"] == ["STANDARD"]
    assert known["l-1"]["allowed_connection_types"] == ["LEAFNODE"]
    assert config["jetstream"]["domain"] == config["server_name"] == "centre"
    assert config["leafnodes"]["no_advertise"] == "true"
    assert "http_port" not in config


def test_a_leaf_knows_its_own_nodes_alone() -> None:
    config = read(leaf_config(FLEET, "r-1", SERVER, UPLINK))
    assert set(users(config)) == {"a", "op"}
    assert set(users(read(leaf_config(FLEET, "r-2", SERVER, UPLINK)))) == {"b", "op"}
    assert config["jetstream"]["domain"] == "r-1"
    (remote,) = config["leafnodes"]["remotes"]
    assert remote["deny_imports"] == remote["deny_exports"] == ["hv.content.>"]
    assert remote["account"] == "HELIOVOX"
    assert remote["include"] == "leaf.conf"


def test_content_has_an_account_of_its_own_that_no_link_and_no_other_user_is_in() -> None:
    """Nodes of another region write into it where they may keep there; the centre has none."""
    one, two = (read(leaf_config(FLEET, r, SERVER, UPLINK)) for r in ("r-1", "r-2"))
    assert set(users(one, "CONTENT")) == {"content-a", "content-b", "ear", "custodian"}
    assert set(users(two, "CONTENT")) == {"content-b"}
    assert [remote["account"] for remote in one["leafnodes"]["remotes"]] == ["HELIOVOX"]
    assert set(read(hub_config(FLEET, SERVER))["accounts"]) == {"HELIOVOX", "SYS"}


def test_what_both_accounts_may_store_comes_to_what_the_server_may() -> None:
    server = replace(SERVER, max_store_bytes=1000, max_content_bytes=300, max_memory_bytes=64)
    config = read(leaf_config(FLEET, "r-1", server, UPLINK))
    limits = {name: config["accounts"][name]["jetstream"] for name in ("HELIOVOX", "CONTENT")}
    assert limits["HELIOVOX"] == {"max_file": "700", "max_mem": "32"}
    assert limits["CONTENT"] == {"max_file": "300", "max_mem": "32"}
    assert config["jetstream"]["max_file_store"] == "1000"
    hub = read(hub_config(FLEET, server))["accounts"]["HELIOVOX"]["jetstream"]
    assert hub == {"max_file": "1000", "max_mem": "64"}


@pytest.mark.parametrize(
    "text", [hub_config(FLEET, SERVER), leaf_config(FLEET, "r-1", SERVER, UPLINK)]
)
def test_everybody_is_bound_by_permissions_and_loopback_is_the_default(text: str) -> None:
    config = read(text)
    assert config["host"] == "127.0.0.1"
    for user in users(config).values():
        assert user["permissions"]["publish"]
        assert user["permissions"]["subscribe"]
    assert [user["nkey"] for user in config["accounts"]["SYS"]["users"]] == [KEYS["sys"].public_key]
    assert config["system_account"] == "SYS"


def test_who_may_say_nothing_is_denied_everything() -> None:
    """An empty list of what is allowed would allow all of it."""
    operator = users(read(hub_config(FLEET, SERVER)))["op"]
    assert operator["permissions"]["publish"] == {"deny": [">"]}


def test_no_secret_stands_in_a_configuration() -> None:
    texts = [hub_config(FLEET, SERVER), leaf_config(FLEET, "r-1", SERVER, UPLINK)]
    for seed in KEYS.values():
        assert all(seed.reveal() not in text for text in texts)
    assert leaf_secret(KEYS["l-1"].reveal()) == f'nkey: "{KEYS["l-1"].reveal()}"\n'


def test_the_same_fleet_gives_the_same_text() -> None:
    assert hub_config(FLEET, SERVER) == hub_config(replace(FLEET), replace(SERVER))


@pytest.mark.parametrize("bad", ['a"b', "a\\b", "a\nb", "é"])
def test_what_would_break_out_of_a_string_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="cannot stand"):
        quoted(bad)


@pytest.mark.parametrize("monitor", [None, 8222])
def test_a_real_server_takes_them(tmp_path: Path, monitor: int | None) -> None:
    """`nats-server -t` reads a configuration and starts nothing."""
    server = Server(str(tmp_path / "store"), monitor_port=monitor, port=4222, leaf_port=7422)
    (tmp_path / "leaf.conf").write_text(leaf_secret(KEYS["l-1"].reveal()))
    for name, text in (
        ("hub", hub_config(FLEET, server)),
        ("leaf-of-r-1", leaf_config(FLEET, "r-1", server, UPLINK)),
    ):
        path = tmp_path / f"{name}.conf"
        path.write_text(text)
        tested = subprocess.run(
            [nats_server_binary(), "-t", "-c", path], capture_output=True, text=True, check=False
        )
        assert tested.returncode == 0, tested.stderr


def test_tls_is_asked_of_whoever_connects() -> None:
    tls = Tls("/tls/cert.pem", "/tls/key.pem", "/tls/ca.pem")
    hub = read(hub_config(FLEET, replace(SERVER, tls=tls)))
    leaf = read(leaf_config(FLEET, "r-1", replace(SERVER, tls=tls), replace(UPLINK, tls=tls)))
    for block in (hub["tls"], hub["leafnodes"]["tls"], leaf["tls"]):
        assert block["verify"] == "true"
    assert leaf["leafnodes"]["remotes"][0]["tls"]["ca_file"] == "/tls/ca.pem"
