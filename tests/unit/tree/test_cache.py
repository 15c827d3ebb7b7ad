import multiprocessing
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


def test_the_file_may_turn_read_only_while_in_use(tmp_path: Path) -> None:
    with Cache(tmp_path, "1.0") as cache:
        cache.put("ir", "k", b"v")
        blocker = sqlite3.connect(tmp_path / FILE, isolation_level=None)
        cache._connection.execute("PRAGMA busy_timeout = 10")  # type: ignore[union-attr]
        blocker.execute("BEGIN EXCLUSIVE")
        cache.put("ir", "late", b"v")
        blocker.execute("ROLLBACK")
        blocker.close()
        assert cache.get("ir", "k") == b"v"
        assert cache.get("ir", "late") is None


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
