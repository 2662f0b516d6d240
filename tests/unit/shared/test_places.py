"""A place is on the Earth, or its field is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliovox.protocol.messages import Place
from shared.errors import InvalidMessage
from shared.places import check_place, coarse


@given(lat=st.floats(-90, 90), lon=st.floats(-180, 180))
def test_every_place_on_the_earth_is_one(lat: float, lon: float) -> None:
    assert check_place(Place(lat, lon)) == Place(lat, lon)


@pytest.mark.parametrize(
    ("place", "field"),
    [
        (Place(90.1, 0), "from.lat"),
        (Place(0, -180.1), "from.lon"),
        (Place(float("nan"), 0), "from.lat"),
        (Place(0, float("inf")), "from.lon"),
    ],
)
def test_a_place_that_is_nowhere_names_its_field(place: Place, field: str) -> None:
    with pytest.raises(InvalidMessage) as refused:
        check_place(place, "from")
    assert refused.value.field == field
    assert "degrees" in (refused.value.remedy or "")


@given(lat=st.floats(-90, 90), lon=st.floats(-180, 180))
def test_a_coarse_place_is_near_and_is_one(lat: float, lon: float) -> None:
    near = check_place(coarse(Place(lat, lon)))
    assert abs(near.lat - lat) <= 0.0051
    assert abs(near.lon - lon) <= 0.0051
    assert coarse(near) == near
