from hypothesis import given
from hypothesis import strategies as st

from control_plane.bundles.build import make_bundle
from control_plane.bundles.in_service import InService
from shared.exchange import Bundle, KeyGrant

KEYS = [KeyGrant("aa", "t", ("*",)), KeyGrant("bb", "u", ("eu-only",))]


def bundle(keys: list[KeyGrant], regions: list[str], now_s: float = 1_000.0) -> Bundle:
    return make_bundle(
        policy_version="v",
        world="regions: {}",
        keys=keys,
        in_service=regions,
        now_s=now_s,
        life_s=600.0,
    )


def test_equal_contents_have_equal_versions_whoever_makes_them_and_when() -> None:
    one = bundle(KEYS, ["b", "a"], 1_000)
    two = bundle(KEYS[::-1], ["a", "b"], 9_000)
    assert one.version == two.version
    assert (one.iat, one.exp) == (1_000, 1_600)


def test_every_change_is_another_version() -> None:
    versions = {
        bundle(keys, regions).version
        for keys in (KEYS, KEYS[:1], [])
        for regions in ([], ["a"], ["a", "b"])
    }
    assert len(versions) == 9


def test_a_region_comes_at_once_and_goes_after_a_while() -> None:
    service = InService(30.0)
    assert service.looked_at(["a"], 0.0)
    assert not service.looked_at([], 30.0)
    assert service.regions == {"a"}
    assert service.looked_at([], 30.1)
    assert service.regions == frozenset()


def test_regions_of_an_earlier_start_are_given_the_same_while() -> None:
    service = InService(30.0, ["a", "b"], 100.0)
    assert service.regions == {"a", "b"}
    assert not service.looked_at(["a"], 130.0)
    assert service.looked_at(["a"], 130.1)
    assert service.regions == {"a"}


@given(st.lists(st.tuples(st.sets(st.sampled_from("abc")), st.integers(0, 50)), max_size=20))
def test_a_live_region_is_always_in_service(looks: list[tuple[set[str], int]]) -> None:
    service, now_s = InService(30.0), 0.0
    for alive, step_s in looks:
        now_s += step_s
        before = service.regions
        assert service.looked_at(alive, now_s) == (service.regions != before)
        assert alive <= service.regions
