import multiprocessing
import os
import sqlite3
from pathlib import Path

import pytest
from taskgates.tree.cache import Cache, NullCache

FILE = Path(".taskgates/cache/results.sqlite")


def test_records_come_back_in_the_next_run(tmp_path: Path) -> None:
    with Cache(tmp_path, "1.0") as cache:
        cache.put("ir", "k", b"\x00value")
        cache.put_many("access", {str(n): str(n).encode() for n in range(1200)})
    with Cache(tmp_path, "1.0") as cache:
        assert cache.get("ir", "k") == b"\x00value"
        assert cache.get("access", "k") is None
        assert len(cache.get_many("access", [str(n) for n in range(1300)])) == 1200
        cache.put("ir", "k", b"")
        assert cache.get("ir", "k") == b""
    assert (tmp_path / ".taskgates/.gitignore").read_text() == "*\n"


def test_another_version_sees_nothing_and_takes_over(tmp_path: Path) -> None:
    with Cache(tmp_path, "1.0") as cache:
        cache.put("ir", "k", b"old")
    with Cache(tmp_path, "1.1") as cache:
        assert cache.get("ir", "k") is None
        cache.put("ir", "k", b"new")
    with Cache(tmp_path, "1.1") as cache:
        assert cache.get("ir", "k") == b"new"
        assert not cache.recreated


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_broken_file_is_dropped_and_rebuilt(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).parent.mkdir(parents=True)
    (tmp_path / FILE).write_bytes(content)
    with Cache(tmp_path, "1.0") as cache:
        assert cache.recreated
        cache.put("ir", "k", b"v")
    with Cache(tmp_path, "1.0") as cache:
        assert cache.get("ir", "k") == b"v"


def test_damage_that_shows_only_when_reading(tmp_path: Path) -> None:
    with Cache(tmp_path, "1.0") as cache:
        cache.put_many("ir", {str(n): bytes(3000) for n in range(50)})
    data = bytearray((tmp_path / FILE).read_bytes())
    data[4096 : len(data)] = b"\xff" * (len(data) - 4096)
    (tmp_path / FILE).write_bytes(data)
    with Cache(tmp_path, "1.0") as cache:
        assert cache.get_many("ir", [str(n) for n in range(50)]) == {}
        cache.put("ir", "k", b"v")
        assert cache.get("ir", "k") == b"v"


def test_a_cache_that_cannot_be_made_is_empty_and_silent(tmp_path: Path) -> None:
    (tmp_path / ".taskgates").write_text("a file where the folder should be")
    with Cache(tmp_path, "1.0") as cache:
        assert not cache.available
        cache.put("ir", "k", b"v")
        assert cache.get("ir", "k") is None
    (tmp_path / "x" / FILE).mkdir(parents=True)
    with Cache(tmp_path / "x", "1.0") as cache:
        assert not cache.available
    with NullCache() as null:
        null.put("ir", "k", b"v")
        assert null.get("ir", "k") is None
        assert null.get_many("ir", ["k"]) == {}


def test_a_file_that_stays_locked_is_waited_for_once(tmp_path: Path) -> None:
    with Cache(tmp_path, "1.0") as cache:
        cache.put("ir", "k", b"v")
        blocker = sqlite3.connect(tmp_path / FILE, isolation_level=None)
        cache._connection.execute("PRAGMA busy_timeout = 10")  # type: ignore[union-attr]
        blocker.execute("BEGIN EXCLUSIVE")
        assert cache.available
        cache.put("ir", "late", b"v")
        assert not cache.available
        assert cache.get("ir", "k") is None
        blocker.execute("ROLLBACK")
        blocker.close()
    with Cache(tmp_path, "1.0") as cache:
        assert cache.get("ir", "k") == b"v"
        assert cache.get("ir", "late") is None


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "linked", [".taskgates", ".taskgates/cache", str(FILE), f"{FILE}-wal", ".taskgates/.gitignore"]
)
@pytest.mark.parametrize("dangling", [True, False])
def test_no_link_leads_the_cache_out_of_the_repository(tmp_path: Path, linked: str, dangling: bool) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    target = outside / "target"
    if not dangling and linked in (".taskgates", ".taskgates/cache"):
        target.mkdir()
    elif not dangling:
        with sqlite3.connect(target) as other:
            other.execute("CREATE TABLE record (precious TEXT)")
        other.close()
    before = _content(outside)
    link = root / linked
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)
    with Cache(root, "1.0") as cache:
        cache.put("ir", "k", b"v")
        assert cache.available == (linked == ".taskgates/.gitignore")
    assert link.is_symlink()
    assert _content(outside) == before
    assert dangling != target.exists()


@pytest.mark.parametrize("name", [str(FILE), f"{FILE}-journal"])
def test_what_is_no_plain_file_is_left_alone(tmp_path: Path, name: str) -> None:
    place = tmp_path / name
    place.parent.mkdir(parents=True)
    os.mkfifo(place)
    with Cache(tmp_path, "1.0") as cache:
        assert not cache.available
    place.unlink()
    other = tmp_path / "other"
    other.write_bytes(b"garbage" * 1000)
    os.link(other, place)
    with Cache(tmp_path, "1.0") as cache:
        assert not cache.available
    assert other.read_bytes() == b"garbage" * 1000


def test_records_that_anyone_may_write_are_not_believed(tmp_path: Path) -> None:
    with Cache(tmp_path, "1.0") as cache:
        cache.put("ir", "k", b"forged")
    (tmp_path / FILE).chmod(0o666)
    with Cache(tmp_path, "1.0") as cache:
        assert cache.get("ir", "k") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_records_of_another_user_are_not_believed(tmp_path: Path) -> None:
    with Cache(tmp_path, "1.0") as cache:
        cache.put("ir", "k", b"forged")
    os.chown(tmp_path / FILE, 65534, 65534)
    with Cache(tmp_path, "1.0") as cache:
        assert cache.get("ir", "k") is None


def test_the_oldest_records_go_when_it_grows_too_large(tmp_path: Path) -> None:
    with Cache(tmp_path, "1.0", size_limit=10_000) as cache:
        cache.put_many("ir", {f"old{n}": bytes(1000) for n in range(5)})
        cache._run("UPDATE record SET used = 5")
        cache.put_many("ir", {f"new{n}": bytes(1000) for n in range(7)})
        cache.put("ir", "giant", bytes(20_000))
    with Cache(tmp_path, "1.0", size_limit=10_000) as cache:
        kept = cache.get_many("ir", [f"{age}{n}" for age in ("old", "new") for n in range(7)])
        assert set(kept) == {f"new{n}" for n in range(7)}
        assert cache.get("ir", "giant") is None


def _write(root: Path, name: str) -> None:
    with Cache(root, "1.0") as cache:
        for number in range(40):
            cache.put("ir", f"{name}{number}", name.encode() * 100)


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_write, args=(tmp_path, name)) for name in "abcd"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    with Cache(tmp_path, "1.0") as cache:
        assert len(cache.get_many("ir", [f"{name}{n}" for name in "abcd" for n in range(40)])) == 160
