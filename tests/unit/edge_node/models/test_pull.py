"""Pulling, from a server on this machine that misbehaves in every way a network does."""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_node.models.catalog import Artefact, Catalog, Entry
from edge_node.models.download import Network, PullFailed
from edge_node.models.install import alone
from edge_node.models.pull import import_folder, pull
from edge_node.models.store import Store
from edge_node.stt.model_files import open_folder
from shared.errors import ModelRefused, Unsupported
from tests.support.model_server import Faults, ModelServer

NAME = "model.tar.bz2"


def archive(content: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:bz2") as tar:
        for name, data in content.items():
            info = tarfile.TarInfo(f"model/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


NOISE = b"".join(hashlib.sha256(bytes([i % 251, i // 251])).digest() for i in range(2000))
GOOD = archive({"tokens.txt": b"<blk> 0\n", "encoder.onnx": NOISE})
OTHER = archive({"tokens.txt": b"other\n", "encoder.onnx": NOISE[::-1]})


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer({NAME: GOOD}).running() as running:
        yield running


def entry(url: str, *, sha: str | None = "known", size: int | None = len(GOOD)) -> Entry:
    digest = hashlib.sha256(GOOD).hexdigest() if sha == "known" else sha
    return Entry(
        name="one",
        task="recognition",
        family="transducer",
        title="One",
        languages=("en",),
        sample_rate=16000,
        licence="MIT",
        source="https://example.com",
        artefacts=(Artefact(url=f"{url}/{NAME}", sha256=digest, size_bytes=size),),
        files={"tokens": "tokens.txt", "encoder": "encoder.onnx"},
    )


def store_of(tmp_path: Path, one: Entry) -> Store:
    return Store(tmp_path / "store", Catalog(models=(one,)))


def network(**changes: object) -> Network:
    defaults: dict[str, object] = {"stall_s": 5.0, "attempts": 3, "wait": lambda _: None}
    return Network(**{**defaults, **changes})  # type: ignore[arg-type]


def leftovers(store: Store) -> list[str]:
    return sorted(p.name for p in store.folder.glob(".staging*")) + sorted(
        p.name for p in (store.folder / ".parts").iterdir()
    )


def test_a_model_is_pulled_verified_and_found(tmp_path: Path, server: ModelServer) -> None:
    store = store_of(tmp_path, entry(server.url))
    seen: list[tuple[int, int | None]] = []
    model = pull(store, "one", network(), progress=lambda a, b: seen.append((a, b)))
    assert model.files["encoder"].read_bytes() == NOISE
    assert all(path.is_absolute() for path in model.files.values())
    assert store.verify("one") == []
    assert model.folder.stat().st_mode & 0o777 == 0o755
    assert seen[-1] == (len(GOOD), len(GOOD))
    assert leftovers(store) == []


def test_a_cut_download_goes_on_where_it_ended(tmp_path: Path, server: ModelServer) -> None:
    server.faults = Faults(cut_after=[1000, 2000])
    pull(store_of(tmp_path, entry(server.url)), "one", network())
    assert [asked for _, asked in server.asked] == [None, "bytes=1000-", "bytes=3000-"]


def test_a_pull_that_failed_is_taken_up_by_the_next(tmp_path: Path, server: ModelServer) -> None:
    store = store_of(tmp_path, entry(server.url))
    server.faults = Faults(cut_after=[1000, 0, 0, 0])
    with pytest.raises(PullFailed) as failed:
        pull(store, "one", network())
    assert failed.value.retryable
    assert store.installed("one") is None
    server.faults = Faults()
    pull(store, "one", network())
    assert server.asked[-1][1] == "bytes=1000-"


def test_a_server_without_ranges_begins_again(tmp_path: Path, server: ModelServer) -> None:
    server.faults = Faults(cut_after=[1000], ranges=False)
    assert pull(store_of(tmp_path, entry(server.url)), "one", network())


def test_a_server_that_stalls_is_left_and_asked_again(tmp_path: Path, server: ModelServer) -> None:
    server.faults = Faults(stall_after=[1000])
    assert pull(store_of(tmp_path, entry(server.url)), "one", network(stall_s=0.2))
    assert server.asked[-1][1] == "bytes=1000-"


def test_a_server_that_only_stalls_is_given_up(tmp_path: Path, server: ModelServer) -> None:
    server.faults = Faults(stall_after=[0, 0, 0])
    with pytest.raises(PullFailed, match="timed out"):
        pull(store_of(tmp_path, entry(server.url)), "one", network(stall_s=0.1))


@pytest.mark.parametrize("statuses", [[503], [500, 429], [408]])
def test_a_passing_fault_is_waited_out(
    tmp_path: Path, server: ModelServer, statuses: list[int]
) -> None:
    server.faults = Faults(statuses=list(statuses))
    waited: list[float] = []
    pull(store_of(tmp_path, entry(server.url)), "one", network(wait=waited.append))
    assert len(waited) == len(statuses)


def test_a_lasting_fault_fails_at_once(tmp_path: Path, server: ModelServer) -> None:
    server.files.clear()
    with pytest.raises(PullFailed, match="404"):
        pull(store_of(tmp_path, entry(server.url)), "one", network())
    assert len(server.asked) == 1


def test_nobody_listening_is_a_pull_that_failed(tmp_path: Path) -> None:
    with pytest.raises(PullFailed):
        pull(store_of(tmp_path, entry("http://127.0.0.1:1")), "one", network())


def test_a_wrong_file_is_refused_before_it_is_unpacked(tmp_path: Path, server: ModelServer) -> None:
    server.files[NAME] = GOOD[:-1] + bytes([GOOD[-1] ^ 1])
    store = store_of(tmp_path, entry(server.url))
    with pytest.raises(ModelRefused) as refused:
        pull(store, "one", network())
    assert refused.value.field == "sha256"
    assert store.installed("one") is None
    assert leftovers(store) == []


def test_a_part_of_another_file_is_fetched_afresh(tmp_path: Path, server: ModelServer) -> None:
    """The publisher replaced the file, or the disk lost some bytes, between two tries."""
    store = store_of(tmp_path, entry(server.url))
    (store.folder / ".parts").mkdir(parents=True)
    (store.folder / ".parts" / NAME).write_bytes(OTHER[:1000])
    assert pull(store, "one", network())
    assert [asked for _, asked in server.asked] == ["bytes=1000-", None]


def test_a_part_that_is_too_long_is_no_trap(tmp_path: Path, server: ModelServer) -> None:
    store = store_of(tmp_path, entry(server.url))
    (store.folder / ".parts").mkdir(parents=True)
    (store.folder / ".parts" / NAME).write_bytes(GOOD + b"more")
    assert pull(store, "one", network())


def test_a_file_larger_than_stated_is_refused(tmp_path: Path, server: ModelServer) -> None:
    server.files[NAME] = GOOD + bytes(100)
    with pytest.raises(PullFailed, match="expected at most"):
        pull(store_of(tmp_path, entry(server.url)), "one", network())


def test_without_a_length_too_much_is_refused_too(tmp_path: Path, server: ModelServer) -> None:
    server.files[NAME] = GOOD + bytes(1 << 20)
    server.faults = Faults(lengths=False)
    with pytest.raises(PullFailed, match="more than"):
        pull(store_of(tmp_path, entry(server.url)), "one", network())


def test_another_range_than_asked_for_is_refused(tmp_path: Path, server: ModelServer) -> None:
    server.faults = Faults(cut_after=[1000], lie_about_range=True)
    with pytest.raises(PullFailed, match="another range"):
        pull(store_of(tmp_path, entry(server.url)), "one", network())


def test_a_redirect_cannot_reach_files_of_this_machine(tmp_path: Path, server: ModelServer) -> None:
    server.faults = Faults(redirect="file:///etc/passwd")
    with pytest.raises(PullFailed):
        pull(store_of(tmp_path, entry(server.url)), "one", network())


def test_an_unknown_checksum_needs_to_be_told(tmp_path: Path, server: ModelServer) -> None:
    store = store_of(tmp_path, entry(server.url, sha=None, size=None))
    with pytest.raises(ModelRefused) as refused:
        pull(store, "one", network())
    assert "--trust-new" in (refused.value.remedy or "")
    assert server.asked == [], "nothing is fetched that could not be used"
    assert pull(store, "one", network(), trust_new=True)


def test_what_was_trusted_once_is_held_to(tmp_path: Path, server: ModelServer) -> None:
    store = store_of(tmp_path, entry(server.url, sha=None, size=None))
    pull(store, "one", network(), trust_new=True)
    pull(store, "one", network())
    server.files[NAME] = OTHER
    with pytest.raises(ModelRefused):
        pull(store, "one", network(), trust_new=True)
    assert store.verify("one") == [], "the model that was there stays"


def test_a_truncated_file_is_never_trusted(tmp_path: Path, server: ModelServer) -> None:
    """Nobody knows size, checksum or length: only the archive tells that it is not whole."""
    store = store_of(tmp_path, entry(server.url, sha=None, size=None))
    server.faults = Faults(cut_after=[len(GOOD) // 2], lengths=False)
    with pytest.raises(ModelRefused):
        pull(store, "one", network(), trust_new=True)
    server.faults = Faults()
    assert pull(store, "one", network(), trust_new=True).files["encoder"].read_bytes() == NOISE


def test_a_whole_part_that_is_of_no_use_is_fetched_afresh(
    tmp_path: Path, server: ModelServer
) -> None:
    store = store_of(tmp_path, entry(server.url, sha=None, size=None))
    server.files[NAME] = bytes(len(GOOD))
    with pytest.raises(ModelRefused):
        pull(store, "one", network(), trust_new=True)
    server.files[NAME] = GOOD
    assert pull(store, "one", network(), trust_new=True)
    assert [asked for _, asked in server.asked] == [None, f"bytes={len(GOOD)}-", None]


def test_a_damaged_book_of_trust_is_refused(tmp_path: Path, server: ModelServer) -> None:
    store = store_of(tmp_path, entry(server.url, sha=None, size=None))
    store.folder.mkdir()
    (store.folder / "trusted.json").write_text("{")
    with pytest.raises(ModelRefused, match=r"trusted\.json"):
        pull(store, "one", network(), trust_new=True)


def test_a_model_comes_with_a_card_for_the_engine(tmp_path: Path, server: ModelServer) -> None:
    """Public archives do not say their language; German must not pass for English."""
    one = entry(server.url).model_copy(update={"languages": ("de", "fr")})
    model = pull(store_of(tmp_path, one), "one", network())
    assert open_folder(model.folder).card.languages == ("de", "fr")
    assert "model.yaml" not in {path.name for path in model.files.values()}


def test_a_mirror_is_asked_for_the_same_name(tmp_path: Path, server: ModelServer) -> None:
    store = store_of(tmp_path, entry("https://nowhere.invalid/releases"))
    pull(store, "one", network(mirror=server.url + "/mirror/"))
    assert server.asked[0][0] == f"/mirror/{NAME}"


def test_a_proxy_is_asked_for_the_whole_address(tmp_path: Path, server: ModelServer) -> None:
    store = store_of(tmp_path, entry("http://nowhere.invalid/releases"))
    pull(store, "one", network(proxy=server.url))
    assert server.asked[0][0] == f"http://nowhere.invalid/releases/{NAME}"


def test_an_archive_without_the_models_files_is_refused(
    tmp_path: Path, server: ModelServer
) -> None:
    server.files[NAME] = wrong = archive({"tokens.txt": b"x", "README": b"y"})
    one = entry(server.url, sha=hashlib.sha256(wrong).hexdigest(), size=len(wrong))
    with pytest.raises(ModelRefused, match=r"without encoder\.onnx"):
        pull(store_of(tmp_path, one), "one", network())


def test_two_pulls_at_once_do_not_meet(tmp_path: Path, server: ModelServer) -> None:
    store = store_of(tmp_path, entry(server.url))
    with alone(store), pytest.raises(PullFailed, match="another pull"):
        pull(store, "one", network())


def test_what_a_dead_pull_left_is_cleared(tmp_path: Path, server: ModelServer) -> None:
    store = store_of(tmp_path, entry(server.url))
    (store.folder / ".staging-dead").mkdir(parents=True)
    pull(store, "one", network())
    assert leftovers(store) == []


def test_changes_on_disk_are_found(tmp_path: Path, server: ModelServer) -> None:
    store = store_of(tmp_path, entry(server.url))
    model = pull(store, "one", network())
    model.files["tokens"].write_bytes(b"changed")
    (model.folder / "extra").write_bytes(b"")
    assert store.verify("one") == ["extra is not recorded", "tokens.txt has changed"]
    assert pull(store, "one", network())
    assert store.verify("one") == []


def test_a_model_that_is_not_here_is_answered_with_the_way_to_get_it(tmp_path: Path) -> None:
    store = store_of(tmp_path, entry("https://example.com"))
    with pytest.raises(Unsupported) as refused:
        store.find("one")
    assert refused.value.remedy == "heliovox models pull one"


def test_an_archive_is_imported_as_if_fetched(tmp_path: Path) -> None:
    store = store_of(tmp_path, entry("https://nowhere.invalid"))
    (tmp_path / NAME).write_bytes(GOOD)
    assert import_folder(store, "one", tmp_path).files["encoder"].read_bytes() == NOISE
    assert (tmp_path / NAME).exists()
    (tmp_path / NAME).write_bytes(OTHER)
    with pytest.raises(ModelRefused):
        import_folder(store, "one", tmp_path)


def test_loose_files_are_imported_only_when_trusted(tmp_path: Path) -> None:
    store = store_of(tmp_path, entry("https://nowhere.invalid"))
    (folder := tmp_path / "loose").mkdir()
    (folder / "tokens.txt").write_bytes(b"1")
    (folder / "encoder.onnx").write_bytes(b"2")
    with pytest.raises(ModelRefused, match="no checksum is known"):
        import_folder(store, "one", folder)
    import_folder(store, "one", folder, trust_new=True)
    assert store.verify("one") == []
    (folder / "link").symlink_to("/etc/passwd")
    with pytest.raises(ModelRefused, match="neither"):
        import_folder(store, "one", folder, trust_new=True)


def test_what_ships_is_not_pulled(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="ships"):
        pull(Store(tmp_path), "vad-silero", network())


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    store = store_of(tmp_path, entry("https://nowhere.invalid"))
    with pytest.raises(Unsupported, match="no folder"):
        import_folder(store, "one", tmp_path / "missing")


def test_an_operators_own_entry_is_found(tmp_path: Path) -> None:
    (tmp_path / "catalog.yaml").write_text(
        "models:\n  - {name: mine, task: vad, family: silero, title: Mine, languages: [en],"
        " sample_rate: 8000, licence: MIT, source: here,"
        " artefacts: [{url: 'http://10.0.0.1/mine.onnx', sha256: null, format: file}]}\n"
    )
    store = Store(tmp_path)
    assert store.catalog.find("mine").sample_rate == 8000
    assert store.catalog.find("vad-silero").embedded
