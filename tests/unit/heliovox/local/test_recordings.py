import json
import random
from pathlib import Path

import pytest

from heliovox.client.files import whole_wav
from heliovox.local.recordings import draw_people
from heliovox.protocol.audio import AudioFormat


def row(name: str, split: str = "test", seconds: float = 2.0) -> dict[str, object]:
    return {"file": f"an4/{name}.wav", "dur": seconds, "text": "YES", "spk": name, "split": split}


def test_only_short_test_recordings_are_drawn(tmp_path: Path) -> None:
    rows = [row("a"), row("b", "train"), row("c", seconds=30.0), row("d")]
    (tmp_path / "an4").mkdir()
    (tmp_path / "an4" / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)))
    for each in rows:
        (tmp_path / str(each["file"])).write_bytes(whole_wav(AudioFormat(), bytes(64000)))
    people = draw_people(tmp_path, random.Random(1), 3)
    assert sorted(person.speaker for person in people) == ["a", "d"]
    assert {(person.text, person.seconds) for person in people} == {("yes", 2.0)}


def test_a_folder_without_recordings_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="manifest"):
        draw_people(tmp_path, random.Random(1), 3)


@pytest.mark.speech
def test_the_real_recordings_can_be_drawn(assets: Path) -> None:
    people = draw_people(assets, random.Random(1), 3)
    assert len(people) == 3
    assert all(person.audio.sample_rate == 16000 and person.text for person in people)
