from collections.abc import AsyncIterator

import pytest

from tests.contract.buses import Exchange, memory_exchange
from tests.contract.engines import REAL, Case, human_speech, our_speech, real_engine, scripted

PARAMS = [
    pytest.param(None, id="scripted"),
    *(pytest.param(kind, id="-".join(kind), marks=pytest.mark.model) for kind in REAL),
]


@pytest.fixture(params=PARAMS)
def case(request: pytest.FixtureRequest) -> Case:
    if request.param is None:
        return scripted()
    engine = real_engine(*request.param)
    audio = our_speech() or human_speech(request.getfixturevalue("assets"), 4)
    return Case(engine, audio)


@pytest.fixture
def anyio_backend() -> str:
    """The bus is built on asyncio."""
    return "asyncio"


@pytest.fixture
def domain() -> str:
    """Of JetStream on the server that the bus is connected to."""
    return "centre"


@pytest.fixture(params=["memory"])
async def exchange(request: pytest.FixtureRequest) -> AsyncIterator[Exchange]:
    async with memory_exchange() as exchange:
        yield exchange
