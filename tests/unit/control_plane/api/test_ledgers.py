"""What the API says of ledgers."""

import msgspec

from tests.unit.control_plane.api.test_app import WITNESSED, Api


def test_what_the_centre_states_of_ledgers_is_for_operators() -> None:
    api = Api()
    answer = api("GET", "/v1/ledger?from_ms=5&until_ms=9", who="op")
    assert answer.json() == {"files": {"of": "5 9"}}
    assert api("GET", "/v1/ledger", who="op").json() == {"files": {"of": "0 None"}}
    assert api("GET", "/v1/ledger").status_code == 403


def test_heads_of_ledgers_are_for_everybody_who_has_a_key() -> None:
    [head] = Api()("GET", "/v1/ledger/heads").json()
    assert head == msgspec.to_builtins(WITNESSED)
    assert Api()("GET", "/v1/ledger/heads", who=None).status_code == 401
