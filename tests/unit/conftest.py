import pytest


@pytest.fixture
def anyio_backend() -> str:
    """The SDK is built on asyncio."""
    return "asyncio"
