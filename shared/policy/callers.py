"""Which countries a caller counts as being in: by what he claims, by his address, or by both."""

import re

from shared.errors import InvalidMessage, PlaceContradicted, PlaceUnknown
from shared.geography import country_place
from shared.regions.model import GENERAL, WORD, CountryFrom

_NONE: frozenset[str] = frozenset()


def caller_countries(
    mode: CountryFrom, claimed: str | None, by_address: str | None
) -> frozenset[str]:
    """The countries by which rules find a caller.

    Args:
        mode: the policy's `country_from`.
        claimed: what the caller says: ISO 3166, of any case.
        by_address: the country that his address is registered in.

    Returns:
        None to two codes in lower case.

    Raises:
        Unsupported: he claims a country that there is not.
        PlaceUnknown: what the policy goes by is not known.
        PlaceContradicted: he claims another country than his address's, and the policy wants both
            to agree.
    """
    said, found = _code(claimed), _code(by_address)
    match mode:
        case "claim":
            return said or found
        case "address":
            return _must_know(found, "address", mode)
        case "both":
            return said | found
        case "agree":
            _must_know(found, "address", mode)
            if _must_know(said, "country", mode) != found:
                raise _contradicted(claimed, by_address)
            return said


def kind_of_data(said: str | None) -> str:
    """What a session says of its data. Raises InvalidMessage for what is no word."""
    if said is None:
        return GENERAL
    if not re.fullmatch(WORD, said):
        raise InvalidMessage(
            "this is no kind of data",
            field="data",
            value=said,
            remedy="use a word of a-z, 0-9 and -, 63 at most, such as health, or leave it out",
        )
    return said


def _code(country: str | None) -> frozenset[str]:
    if country is None:
        return _NONE
    _ = country_place(country)  # raises for one that is none
    return frozenset({country.lower()})


def _must_know(known: frozenset[str], field: str, mode: CountryFrom) -> frozenset[str]:
    if known:
        return known
    remedy = {
        "address": "come from a public address, or have a server give it as `address`",
        "country": "say your `country`",
    }
    raise PlaceUnknown(
        f"the policy goes by country_from: {mode}, and the caller's {field} says no country",
        field=field,
        remedy=remedy[field],
    )


def _contradicted(claimed: str | None, by_address: str | None) -> PlaceContradicted:
    return PlaceContradicted(
        f"the caller claims to be in {claimed}, and his address is registered in {by_address}; "
        "the policy places him only where the two agree",
        field="country",
        value=claimed,
        remedy="give the country of the address, or use a policy with another country_from",
    )
