import pytest

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
