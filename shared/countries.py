"""The countries there are, and about where their people live."""

import csv
import functools
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

from heliovox.protocol.messages import Place


@functools.cache
def country_places() -> Mapping[str, Place]:
    """A place for every country, by its code in upper case.

    All 249 codes of ISO 3166-1 alpha-2, and XK for Kosovo, as it is used in practice. The table
    (`countries.csv`) was written by hand from common geographic knowledge. A place is about the
    middle of where people live, not of the land: Canada's lies in Ontario. It is good to a degree
    or so in small countries and to hundreds of kilometres in large ones; Russia, the United States
    and Australia have people 4000 km from theirs. Coordinates are better wherever there are any.
    """
    table = resources.files("shared").joinpath("countries.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(table.splitlines())
    return MappingProxyType(
        {row["code"]: Place(float(row["lat"]), float(row["lon"])) for row in rows}
    )
