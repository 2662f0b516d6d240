from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.bus import Bus
from tests.contract.buses import Exchange, memory_exchange, nats_exchange
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


@pytest.fixture(params=["memory", pytest.param("nats", marks=pytest.mark.process)])
async def exchange(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Exchange]:
    making = memory_exchange() if request.param == "memory" else nats_exchange(tmp_path)
    async with making as exchange:
        yield exchange


@pytest.fixture
async def bus(exchange: Exchange) -> Bus:
    return await exchange.connect()


@pytest.fixture
async def other(exchange: Exchange) -> Bus:
    return await exchange.connect()
