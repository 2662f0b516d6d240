"""What every test shares: hypothesis profiles, and where human recordings are."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "fast", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "deep", max_examples=5_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", settings.get_profile("fast"), derandomize=True, database=None)
_PROFILE = "ci" if os.environ.get("CI") else "fast"  # noqa: TID251 pytest's own settings
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", _PROFILE))  # noqa: TID251 pytest's own settings


def _assets() -> Path | None:
    named = os.environ.get("HELIOVOX_ASSETS")  # noqa: TID251 pytest's own settings
    here = Path(named) if named else Path(__file__).parents[2] / "shared" / "assets"
    return here if (here / "an4" / "manifest.jsonl").is_file() else None


@pytest.fixture(scope="session")
def assets() -> Path:
    """The folder of human recordings; the test is skipped by name without it."""
    folder = _assets()
    if folder is None:
        pytest.skip("no human recordings: set HELIOVOX_ASSETS")
    return folder
