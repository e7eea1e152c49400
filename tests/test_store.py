"""The folder of entries: whole or nothing, its owner's alone, and bounded."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from ingress_lint.store import Store, user_folder

POSIX = pytest.mark.skipif(os.name != "posix", reason="there are no owners and modes")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "cache" / "answers"))


def file_of(store: Store, key: str) -> Path:
    (file,) = Path(store.folder).glob(f"{key}.*")
    return file


def test_what_is_put_is_got(store: Store) -> None:
    assert store.get("a") is None
    store.put("a", b"one")
    store.put("b", b"")
    store.put("a", b"two")
    assert (store.get("a"), store.get("b"), store.get("c")) == (b"two", b"", None)


@POSIX
def test_only_the_owner_may_read_it(store: Store) -> None:
    store.put("a", b"secret")
    assert os.stat(store.folder).st_mode & 0o777 == 0o700
    assert file_of(store, "a").stat().st_mode & 0o777 == 0o600


@POSIX
def test_what_others_may_write_to_is_not_believed(store: Store) -> None:
    store.put("a", b"one")
    file_of(store, "a").chmod(0o666)
    assert store.get("a") is None


@POSIX
def test_nothing_is_put_where_others_may_write(store: Store) -> None:
    os.makedirs(store.folder)
    os.chmod(store.folder, 0o777)
    store.put("a", b"one")
    assert os.listdir(store.folder) == []


@pytest.mark.parametrize("cut", [0, 1, 20, 47, 48, 60])
def test_a_truncated_entry_is_nothing(store: Store, cut: int) -> None:
    store.put("a", b"something that is long enough")
    file = file_of(store, "a")
    file.write_bytes(file.read_bytes()[:cut])
    assert store.get("a") is None


def test_a_damaged_entry_is_nothing(store: Store) -> None:
    store.put("a", b"something")
    file = file_of(store, "a")
    for at in range(file.stat().st_size):
        damaged = bytearray(file.read_bytes())
        damaged[at] ^= 1
        file.write_bytes(damaged)
        assert store.get("a") is None
        damaged[at] ^= 1
        file.write_bytes(damaged)
    assert store.get("a") == b"something"


def test_what_was_not_used_for_the_longest_time_goes(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "answers"), max_bytes=1000)
    for at, key in enumerate(("a", "b", "c")):
        store.put(key, b"x" * 250)
        os.utime(file_of(store, key), (at, at))
    assert store.get("a")  # and so it was used last
    store.put("d", b"x" * 250)
    assert [key for key in "abcd" if store.get(key)] == ["a", "c", "d"]


def test_what_is_too_large_is_not_kept(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "answers"), max_bytes=1000)
    store.put("a", b"x" * 1001)
    assert store.get("a") is None


def test_what_a_process_that_died_left_behind_goes_in_time(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "answers"), max_bytes=1000)
    store.put("a", b"x")
    left = file_of(store, "a").with_suffix(".entry.0.unfinished")
    left.write_bytes(b"x" * 900)
    os.utime(left, (0, 0))
    store.put("b", b"x" * 200)
    assert not left.exists()
    assert (store.get("a"), store.get("b")) == (b"x", b"x" * 200)


def test_clearing_leaves_the_files_of_others(store: Store) -> None:
    assert store.clear() == 0
    store.put("a", b"one")
    store.put("b", b"two")
    other = Path(store.folder) / "notes.txt"
    other.write_text("mine")
    assert store.clear() == 2
    assert os.listdir(store.folder) == ["notes.txt"]
    other.unlink()
    assert store.clear() == 0
    assert not os.path.exists(store.folder)


def test_no_folder_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    store = Store(str(tmp_path / "file" / "answers"))
    store.put("a", b"one")
    assert (store.get("a"), store.clear()) == (None, 0)


def test_a_folder_stands_where_the_entry_would(store: Store) -> None:
    store.put("a", b"one")
    file = file_of(store, "a")
    file.unlink()
    file.mkdir()
    store.put("a", b"one")
    assert store.get("a") is None
    assert os.listdir(store.folder) == [file.name]


def _put_and_get(folder: str, process: int) -> list[bytes | None]:
    store = Store(folder, max_bytes=40_000)
    seen = []
    for turn in range(100):
        store.put("shared", bytes([process]) * 10_000)
        store.put(f"own-{turn % 5}", b"y" * 5_000)
        seen.append(store.get("shared"))
    return seen


def test_several_processes_at_once_see_whole_entries_alone(store: Store) -> None:
    with ProcessPoolExecutor(4) as pool:
        seen = [found for each in pool.map(_put_and_get, [store.folder] * 4, range(4)) for found in each]
    assert set(seen) <= {bytes([process]) * 10_000 for process in range(4)} | {None}
    assert not list(Path(store.folder).glob("*.unfinished"))


def test_the_users_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INGRESS_LINT_CACHE_DIR", "here")
    assert user_folder() == str(tmp_path / "here")
    monkeypatch.delenv("INGRESS_LINT_CACHE_DIR")
    assert "ingress-lint" in Path(user_folder()).parts


@pytest.mark.skipif(sys.platform != "linux", reason="XDG is for Linux")
def test_the_xdg_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("INGRESS_LINT_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_folder() == str(tmp_path / "ingress-lint")
