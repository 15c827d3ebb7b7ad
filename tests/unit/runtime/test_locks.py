from __future__ import annotations

import json
import os
import random
import stat
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from taskgates.runtime.backoff import Backoff
from taskgates.runtime.errors import DeadlockError, LockError, LockTableError, LockTimeoutError
from taskgates.runtime.lock_table import Lease, LockTable
from taskgates.runtime.locks import LockManager, LockMode
from taskgates.runtime.processes import ProcessIdentity, host_name, start_token

if TYPE_CHECKING:
    from pathlib import Path


def table_file(root: Path) -> Path:
    (path,) = (root / ".taskgates/locks").glob("table.*.json")
    return path


FAST = (0.002, 0.01)

HOLDER = """
import sys, time
from taskgates.runtime.locks import LockManager
manager = LockManager(sys.argv[1])
lease = manager.acquire(sys.argv[2], **{sys.argv[3]: sys.argv[4:]}, timeout=5)
print("held", flush=True)
sys.stdin.readline()
lease.release()
"""


def hold(root: Path, task: str, mode: str, *paths: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(root), task, mode, *paths],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def manager(root: Path) -> LockManager:
    return LockManager(root, timeout=5, retry_delays=FAST)


@pytest.mark.parametrize(
    ("held", "asked", "compatible"),
    [
        ({"shared": ["data/*.csv"]}, {"shared": ["data/*.csv"]}, True),
        ({"shared": ["data/*.csv"]}, {"exclusive": ["data/a.csv"]}, False),
        ({"exclusive": ["out/*.csv"]}, {"exclusive": ["out/a.csv"]}, False),
        ({"exclusive": ["out/a.csv"]}, {"exclusive": ["out/*.csv"]}, False),
        ({"exclusive": ["out/a.csv"]}, {"exclusive": ["out/b.csv"]}, True),
        ({"exclusive": ["out/a.csv"]}, {"shared": ["out/"]}, False),
        ({"exclusive": ["out/"]}, {"shared": ["out/deep/er/x"]}, False),
        ({"shared": ["a"], "exclusive": ["b"]}, {"shared": ["a"], "exclusive": ["c"]}, True),
        ({"shared": ["a"], "exclusive": ["b"]}, {"shared": ["b"], "exclusive": ["c"]}, False),
    ],
)
def test_who_excludes_whom(tmp_path: Path, held: dict[str, Any], asked: dict[str, Any], compatible: bool) -> None:
    first, second = manager(tmp_path), manager(tmp_path)
    with first.acquire("one", **held):
        request = second.request("two", **asked)
        lease = request.attempt()
        assert (lease is not None) is compatible
        assert bool(request.blockers) is not compatible
        request.withdraw()
    assert second.acquire("two", **asked, timeout=0) is not None


def test_all_or_nothing(tmp_path: Path) -> None:
    first, second, third = manager(tmp_path), manager(tmp_path), manager(tmp_path)
    with first.acquire("one", exclusive=["b"]):
        with pytest.raises(LockTimeoutError) as caught:
            second.acquire("two", exclusive=["a", "b", "c"], timeout=0)
        assert [holder.task for holder in caught.value.holders] == ["one"]
        assert "held exclusive by task one" in str(caught.value)
        assert f"process {os.getpid()}" in str(caught.value)
        # Nothing of the failed request is left behind.
        third.acquire("three", exclusive=["a", "c"], timeout=0).release()


def test_a_task_never_excludes_itself(tmp_path: Path) -> None:
    locks = manager(tmp_path)
    with (
        locks.acquire("one", shared=["a"]),
        locks.acquire("one", exclusive=["a"], timeout=0),
        pytest.raises(LockTimeoutError),
    ):
        locks.acquire("two", shared=["a"], timeout=0)
    locks.acquire("two", exclusive=["a"], timeout=0).release()


def test_folder_is_private_and_ignored(tmp_path: Path) -> None:
    locks = manager(tmp_path)
    with locks.acquire("one", exclusive=["a"]):
        for path in (tmp_path / ".taskgates").rglob("*"):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert (tmp_path / ".taskgates/.gitignore").read_text() == "*\n"


def test_status_is_inspectable(tmp_path: Path) -> None:
    locks = manager(tmp_path)
    before = time.time()
    with locks.acquire("one", exclusive=["b"], shared=["a"]):
        (first, second) = manager(tmp_path).status()
        assert (first.path, first.mode, first.task) == ("a", LockMode.SHARED, "one")
        assert (second.path, second.mode, second.pid) == ("b", LockMode.EXCLUSIVE, os.getpid())
        assert first.host == host_name()
        assert before <= first.since <= time.time()
        assert not first.stale
        table = json.loads(table_file(tmp_path).read_text())
        assert table["granted"][0]["exclusive"] == ["b"]
    assert manager(tmp_path).status() == ()
    locks.close()
    assert list((tmp_path / ".taskgates/locks/sessions").iterdir()) == []


def test_status_of_an_untouched_repository_creates_nothing(tmp_path: Path) -> None:
    assert manager(tmp_path).status() == ()
    assert manager(tmp_path).clean() == ()
    assert list(tmp_path.iterdir()) == []


def test_kill_9_drops_the_lock(tmp_path: Path) -> None:
    process = hold(tmp_path, "dead", "exclusive", "out/")
    locks = manager(tmp_path)
    with pytest.raises(LockTimeoutError, match="task dead"):
        locks.acquire("next", exclusive=["out/x"], timeout=0)
    end(process)
    (stale,) = locks.status()
    assert stale.stale
    assert "(stale)" in str(stale)
    locks.acquire("next", exclusive=["out/x"], timeout=0).release()
    assert locks.status() == ()


def test_waiter_is_woken_by_kill_9(tmp_path: Path) -> None:
    process = hold(tmp_path, "dead", "exclusive", "x")
    timer = threading.Timer(0.2, process.kill)
    timer.start()
    manager(tmp_path).acquire("next", shared=["x"]).release()
    timer.join()
    end(process)


def test_clean_drops_only_the_dead(tmp_path: Path) -> None:
    dead = hold(tmp_path, "dead", "exclusive", "a")
    alive = hold(tmp_path, "alive", "shared", "b")
    end(dead)
    locks = manager(tmp_path)
    dropped = locks.clean()
    assert [(holder.task, holder.path, holder.stale) for holder in dropped] == [("dead", "a", True)]
    assert [holder.task for holder in locks.status()] == ["alive"]
    assert len(list((tmp_path / ".taskgates/locks/sessions").glob("*.lock"))) == 1
    end(alive)


def test_reused_pid_is_told_apart_when_the_session_lock_is_lost(tmp_path: Path) -> None:
    locks = manager(tmp_path)
    locks.acquire("one", exclusive=["z"]).release()
    me = ProcessIdentity.current()
    reused = ProcessIdentity(me.pid, me.host, "an earlier boot:1")
    table = LockTable(
        3,
        [
            Lease(1, "earlier", "gone1", reused, 1.0, ("a",), ()),
            Lease(2, "living", "gone2", me, 1.0, ("b",), ()),
            Lease(2, "remote", "gone3", ProcessIdentity(1, "elsewhere", ""), 1.0, ("c",), ()),
        ],
    )
    table_file(tmp_path).write_bytes(msgspec.json.encode(table))
    assert {holder.task: holder.stale for holder in locks.status()} == {
        "earlier": True,
        "living": False,
        "remote": False,
    }
    locks.acquire("next", exclusive=["a"], timeout=0).release()
    for path in ("b", "c"):
        with pytest.raises(LockTimeoutError):
            locks.acquire("next", exclusive=[path], timeout=0)


def test_start_token_tells_processes_apart() -> None:
    with subprocess.Popen(["sleep", "30"]) as child:
        assert start_token(child.pid)
        assert start_token(child.pid) != start_token(os.getpid())
        identity = ProcessIdentity(child.pid, host_name(), start_token(child.pid))
        assert identity.is_alive() is True
        child.kill()
        # Not yet waited for: a zombie is dead.
        while start_token(child.pid):
            time.sleep(0.005)
        assert identity.is_alive() is False
    assert ProcessIdentity(1, "another machine", "").is_alive() is None


def test_writer_is_not_starved_by_readers(tmp_path: Path) -> None:
    locks = manager(tmp_path)
    reader = locks.acquire("reader", shared=["x"])
    writer = locks.request("writer", exclusive=["x"])
    assert writer.attempt() is None
    late = locks.request("late reader", shared=["x"])
    assert late.attempt() is None
    assert [holder.task for holder in late.blockers] == ["writer"]
    reader.release()
    assert late.attempt() is None
    lease = writer.attempt()
    assert lease is not None
    lease.release()
    assert late.attempt() is not None


def test_withdrawn_and_dead_waiters_do_not_block(tmp_path: Path) -> None:
    first, second, third = manager(tmp_path), manager(tmp_path), manager(tmp_path)
    lease = first.acquire("one", shared=["x"])
    request = second.request("two", exclusive=["x"])
    assert request.attempt() is None
    request.withdraw()
    third.acquire("three", shared=["x"], timeout=0).release()
    request = second.request("two", exclusive=["x"])
    assert request.attempt() is None
    second.close()
    third.acquire("three", shared=["x"], timeout=0).release()
    lease.release()


def test_deadlock_of_two_upgrades_is_refused(tmp_path: Path) -> None:
    first, second = manager(tmp_path), manager(tmp_path)
    with first.acquire("one", shared=["x"]), second.acquire("two", shared=["x"]):
        upgrade = first.request("one", exclusive=["x"])
        assert upgrade.attempt() is None
        with pytest.raises(DeadlockError) as caught:
            second.acquire("two", exclusive=["x"])
        assert caught.value.cycle == ("two", "one", "two")
    lease = upgrade.attempt()
    assert lease is not None
    lease.release()


def test_retained_locks_bar_other_managers_only(tmp_path: Path) -> None:
    first, second = manager(tmp_path), manager(tmp_path)
    lease = first.acquire("one", exclusive=["out/"], shared=["in"])
    lease.retain()
    second.acquire("two", exclusive=["in"], timeout=0).release()
    for exclusive, shared in ((["out/a"], []), ([], ["out/a"])):
        with pytest.raises(LockTimeoutError, match="by the run of task one") as caught:
            second.acquire("two", exclusive=exclusive, shared=shared, timeout=0)
        assert caught.value.holders[0].retained
    first.acquire("three", exclusive=["out/a"], timeout=0).release()
    assert [(holder.path, holder.retained) for holder in second.status()] == [("out", True)]
    assert second.writes_of_others() == ("out",)
    assert first.writes_of_others() == ()
    lease.release()
    second.acquire("two", exclusive=["out/a"], timeout=0).release()
    first.acquire("one", shared=["."]).retain(shared=True)
    second.acquire("two", shared=["out"], timeout=0).release()
    with pytest.raises(LockTimeoutError):
        second.acquire("two", exclusive=["out"], timeout=0)
    first.close()


def test_deadlock_of_two_runs_over_what_they_retain(tmp_path: Path) -> None:
    first, second = manager(tmp_path), manager(tmp_path)
    first.acquire("a1", exclusive=["x"]).retain()
    running = second.acquire("b1", exclusive=["y"])
    request = first.request("a2", exclusive=["y"])
    assert request.attempt() is None
    other = second.request("b2", exclusive=["x"])
    # It may still end well for all that is known: b1 runs, and may fail.
    assert other.attempt() is None
    running.retain()
    time.sleep(0.3)
    with pytest.raises(DeadlockError) as caught:
        other.attempt()
    assert set(caught.value.cycle) == {"a2", "b2"}
    second.close()
    assert request.attempt() is not None
    first.close()


def test_cancelled_wait_ends(tmp_path: Path) -> None:
    locks = manager(tmp_path)
    with locks.acquire("one", exclusive=["x"]), pytest.raises(LockTimeoutError):
        locks.acquire("two", exclusive=["x"], timeout=60, cancelled=lambda: True)


def test_threads_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    locks = manager(tmp_path)
    inside = 0
    worst = 0

    def work(number: int) -> None:
        nonlocal inside, worst
        for _ in range(10):
            with locks.acquire(f"t{number}", exclusive=["x"]):
                inside += 1
                worst = max(worst, inside)
                time.sleep(0.0005)
                inside -= 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert worst == 1
    assert locks.status() == ()


def test_damaged_table_is_reset_only_when_nobody_lives(tmp_path: Path) -> None:
    locks = manager(tmp_path)
    lease = locks.acquire("one", exclusive=["x"])
    table = table_file(tmp_path)
    good = table.read_bytes()
    table.write_bytes(b"")
    with pytest.raises(LockTableError, match="damaged lock table"):
        manager(tmp_path).acquire("two", exclusive=["y"], timeout=0)
    table.write_bytes(good)
    lease.release()
    locks.close()
    table_file(tmp_path).write_bytes(b"{")
    manager(tmp_path).acquire("two", exclusive=["y"], timeout=0).release()


def test_manager_refuses_to_work_in_a_forked_child(tmp_path: Path) -> None:
    code = """
import os, sys
from taskgates.runtime.locks import LockManager
manager = LockManager(sys.argv[1])
lease = manager.acquire("one", exclusive=["x"])
pid = os.fork()
if pid == 0:
    try:
        lease.release()
    except Exception as error:
        os.write(1, str(error).encode())
    os._exit(0)
os.waitpid(pid, 0)
assert len(LockManager(sys.argv[1]).status()) == 1
"""
    result = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "fork()" in result.stdout


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_repository(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(Exception, match="needs write permission"):
            manager(tmp_path).acquire("one", exclusive=["x"])
    finally:
        tmp_path.chmod(0o700)


def test_a_file_in_the_way_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / ".taskgates").write_text("")
    with pytest.raises(Exception, match=r"\.taskgates: no folder.*move it away"):
        manager(tmp_path).acquire("one", exclusive=["x"])


def test_impossible_path_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="task one: not a path"):
        manager(tmp_path).acquire("one", exclusive=[""])


def test_backoff_grows_and_keeps_the_last_delay() -> None:
    backoff = Backoff((0.1, 0.5, 1.0, 2.0), random.Random(1))
    for attempt, full in enumerate([0.1, 0.5, 1.0, 2.0, 2.0, 2.0]):
        delays = {backoff.delay(attempt) for _ in range(50)}
        assert len(delays) == 50
        assert all(full / 2 <= delay <= full for delay in delays)
    for bad in ((), (0.0,), (1.0, -1.0)):
        with pytest.raises(ValueError):
            Backoff(bad)


def test_blockers_are_told_without_asking(tmp_path: Path) -> None:
    assert manager(tmp_path).blockers("x", exclusive=["a"]) == ()
    assert list(tmp_path.iterdir()) == []
    with manager(tmp_path).acquire("one", shared=["out/"]):
        asking = manager(tmp_path)
        assert [holder.task for holder in asking.blockers("two", exclusive=["out/a"])] == ["one"]
        assert asking.blockers("two", shared=["out/a"]) == ()
        assert len(asking.status()) == 1
    dead = hold(tmp_path, "dead", "exclusive", "b")
    end(dead)
    assert asking.blockers("two", exclusive=["b"]) == ()


def test_of_two_tables_after_a_crash_the_newer_counts(tmp_path: Path) -> None:
    locks = manager(tmp_path)
    locks.acquire("one", exclusive=["a"]).release()
    old = table_file(tmp_path)
    content = old.read_bytes()
    lease = locks.acquire("two", exclusive=["b"])
    old.write_bytes(content)
    (old.parent / "table.new").write_bytes(b"half of a tab")
    assert [holder.task for holder in manager(tmp_path).status()] == ["two"]
    lease.release()
    assert locks.status() == ()
    assert len(list(old.parent.glob("table.*.json"))) == 1
