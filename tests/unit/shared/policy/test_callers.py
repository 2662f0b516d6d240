"""What decides in which country a caller counts is stated in the policy: all modes, all liars."""

import pytest

from shared.errors import Forbidden, PlaceContradicted, PlaceUnknown, Unsupported
from shared.policy import caller_countries
from shared.regions.model import CountryFrom

UNKNOWN, CONTRADICTED = "place_unknown", "place_contradicted"


@pytest.mark.parametrize(
    ("mode", "claimed", "by_address", "countries"),
    [
        ("claim", "fr", "DE", {"fr"}),
        ("claim", None, "DE", {"de"}),
        ("claim", "FR", None, {"fr"}),
        ("claim", None, None, set()),
        ("address", "fr", "DE", {"de"}),
        ("address", None, "DE", {"de"}),
        ("address", "fr", None, UNKNOWN),
        ("address", None, None, UNKNOWN),
        ("both", "fr", "DE", {"fr", "de"}),
        ("both", "de", "DE", {"de"}),
        ("both", "Fr", None, {"fr"}),
        ("both", None, "DE", {"de"}),
        ("both", None, None, set()),
        ("agree", "De", "DE", {"de"}),
        ("agree", "fr", "DE", CONTRADICTED),
        ("agree", None, "DE", UNKNOWN),
        ("agree", "de", None, UNKNOWN),
        ("agree", None, None, UNKNOWN),
    ],
)
def test_who_is_where(
    mode: CountryFrom, claimed: str | None, by_address: str | None, countries: set[str] | str
) -> None:
    if isinstance(countries, set):
        assert caller_countries(mode, claimed, by_address) == countries
        return
    with pytest.raises(Forbidden) as refused:
        caller_countries(mode, claimed, by_address)
    assert refused.value.code == countries
    assert refused.value.field in ("country", "address")
    assert refused.value.remedy


def test_the_errors_are_kinds_that_callers_can_tell_apart() -> None:
    with pytest.raises(PlaceContradicted, match="claims to be in FR"):
        caller_countries("agree", "FR", "DE")
    with pytest.raises(PlaceUnknown, match="address says no country"):
        caller_countries("agree", "FR", None)


@pytest.mark.parametrize("mode", ["claim", "address", "both", "agree"])
def test_a_country_that_there_is_not_is_never_passed_over(mode: CountryFrom) -> None:
    with pytest.raises(Unsupported):
        caller_countries(mode, "zz", "DE")
